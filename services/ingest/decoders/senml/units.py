"""PURE: SenML's unit names as UCUM codes.

Source: RFC 8428 section 12.1, RFC 8798, and IANA's SenML units registry.
"""

from typing import Final

# Name and code where they differ; the names below mean themselves.
_OTHERWISE: Final = (
    "% %  %RH %  %EL %  / 1  /100 %  /1000 [ppth]  ppm [ppm]  count 1  l L  l/s L/s  EL s  beats {beats}"
    "  rad rad  sr sr  cd cd  mol mol  lm lm  m/s2 m/s2  lat deg  lon deg  pH [pH]  NTU [NTU]  dB dB  dBW dB{W}"
    "  dBm dB{mW}  Bspl B[SPL]  VA V.A  kVA kV.A  var V.A{reactive}  kvar kV.A{reactive}  VAs V.A.s  kVAh kV.A.h"
    "  vars V.A{reactive}.s  varh V.A{reactive}.h  kvarh kV.A{reactive}.h  Wh W.h  kWh kW.h  Ah A.h  Wh/km W.h/km"
    "  1/s Hz  1/min /min  beat/min {beats}/min  B By  KiB KiBy  GB GBy  Mbit/s Mbit/s  B/s By/s  MB/s MBy/s"
)
_THEMSELVES: Final = (
    "m kg g s A K Hz N Pa J W C V F Ohm S Wb T H Cel lx Bq Gy Sv kat m2 m3 m/s m3/s W/m2 cd/m2 bit bit/s S/m"
    " J/m kg/m3 deg ms min h MHz kW mV mA ug/m3 mm/h m/h hPa mm cm km km/h"
)
UCUM: Final[dict[str, str]] = {name: name for name in _THEMSELVES.split()} | {
    name: code
    for name, _, code in (pair.partition(" ") for pair in _OTHERWISE.split("  "))
}
