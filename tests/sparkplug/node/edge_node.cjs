// An edge node as its library makes it: births, data by alias, rebirths. Arguments: port, user, secret.
// Reads commands from stdin, a line each; tells on stdout what it was asked.
const readline = require("node:readline");
const { newClient } = require("sparkplug-client");

const [port, user, secret] = process.argv.slice(2);
const device = "Pump 7";
const client = newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`,
  username: user,
  password: secret,
  groupId: "city",
  edgeNode: user,
  clientId: user,
  version: "spBv1.0",
});
const now = () => Date.now();
const payload = (...metrics) => ({ timestamp: now(), metrics });
let voltage = 230.4;

function bear() {
  client.publishNodeBirth(
    payload(
      { name: "Node Control/Rebirth", type: "Boolean", value: false },
      { name: "Properties/Hardware Make", type: "String", value: "Acme" },
      { name: "grid/voltage", alias: 1, type: "Float", value: voltage },
      { name: "breaker", alias: 2, type: "String", value: "closed" },
      { name: "energy", alias: 3, type: "Int64", value: 4711 },
    ),
  );
  bearDevice();
}

function bearDevice() {
  client.publishDeviceBirth(
    device,
    payload(
      { name: "voltage", alias: 4, type: "Double", value: 12.5 },
      { name: "current", alias: 5, type: "Int16", value: 3 },
    ),
  );
}

client.on("birth", () => {
  bear();
  console.log("born");
});
client.on("ncmd", ({ metrics }) => {
  for (const { name, value } of metrics) {
    if (name === "Node Control/Rebirth" && value) {
      console.log("asked");
      bear();
    }
  }
});
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [what, value] = line.split(" ");
  if (what === "data") {
    voltage = Number(value);
    client.publishNodeData(payload({ alias: 1, type: "Float", value: voltage }));
  } else if (what === "device") {
    client.publishDeviceData(device, payload({ alias: 4, type: "Double", value: Number(value) }));
  } else if (what === "device-birth") {
    bearDevice();
  } else if (what === "device-death") {
    client.publishDeviceDeath(device, payload());
  }
});
