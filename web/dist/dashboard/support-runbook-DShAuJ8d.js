const e=`# Support runbook: the Kestrel display

## Error codes

| code | meaning | what to do |
|---|---|---|
| KD-104 | The display does not find the motor | Reseat the orange plug under the battery, then hold the power button for eight seconds |
| KD-211 | The battery is below 5 % and too cold | Warm the battery to at least 10 °C before charging |
| KD-317 | The firmware update was cut off | Connect a computer by USB-C and run the recovery in Kestrel Link 4.2 or newer |
| KD-909 | The frame number does not match the motor | Send the customer to a dealer; this cannot be mended remotely |

## When to escalate

Hand the case to second level when the same code returns within seven days, when a battery is hot or swollen, or when the customer was injured. A hot or
swollen battery is always urgent: ask the customer to put the bicycle outside and to stay away from it, and call the safety line at once.
`;export{e as default};
