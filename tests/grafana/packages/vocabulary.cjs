// Prints what @grafana/data knows: ids of units, transformers, reducers and colour modes.
globalThis.navigator = { languages: ['en'] }; // it asks for the browser's
const data = require('@grafana/data');

console.log(
  JSON.stringify({
    units: data.getValueFormats().flatMap((category) => category.submenu.map((unit) => unit.value)),
    transformers: Object.values(data.DataTransformerID),
    reducers: data.fieldReducers.list().map((reducer) => reducer.id),
    colour_modes: data.fieldColorModeRegistry.list().map((mode) => mode.id),
  })
);
