const e=`# Kestrel Cycles: travel and expenses

## Booking

Trains come first. Flights are allowed when the train takes more than seven hours, and are booked in economy class. Hotels may cost up to 140 euros a
night, and up to 190 euros in London, Paris, Zurich and Copenhagen.

## Meals

The daily allowance is 42 euros for a whole day and 21 euros for a day of arrival or departure. Meals with guests are paid against the receipt; write the
names of the guests on it.

## Getting the money back

Hand in receipts within 30 days after the trip. Expenses over 500 euros need the approval of the finance lead before you spend them. What is handed in
by the 20th of a month is paid with that month's salary.
`;export{e as default};
