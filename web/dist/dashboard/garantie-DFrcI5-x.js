const e=`# Kestrel Cycles: Garantie und Rückgabe

## Garantie

Auf den Rahmen geben wir zehn Jahre Garantie, auf Motor und Display drei Jahre und auf den Akku zwei Jahre oder 700 Ladezyklen, je nachdem, was zuerst
erreicht wird. Verschleißteile wie Bremsbeläge, Kette und Reifen sind ausgenommen.

## Rückgabe

Ein Fahrrad kann innerhalb von 30 Tagen zurückgegeben werden, wenn es weniger als 150 Kilometer gefahren wurde. Wir holen es kostenlos ab. Das Geld wird
innerhalb von fünf Werktagen nach der Prüfung überwiesen.
`;export{e as default};
