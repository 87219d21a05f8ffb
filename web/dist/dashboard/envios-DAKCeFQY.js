const a=`# Kestrel Cycles: envíos y montaje

## Plazos de entrega

Las bicicletas en existencias salen del almacén de Valencia en dos días laborables y llegan a la península en cuatro. A Baleares tardan seis días y a Canarias
doce. El envío es gratuito a partir de 900 euros; por debajo cuesta 45 euros.

## Montaje

La bicicleta llega montada al noventa por ciento: solo hay que girar el manillar, poner los pedales y cargar la batería durante cuatro horas. El par de apriete
del manillar es de 5 newton metro.
`;export{a as default};
