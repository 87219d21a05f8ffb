const e=`# Kestrel Cycles: employee handbook

## Working hours

A full week is 38 hours. Everybody is reachable between 10:00 and 15:00; the rest of the day is yours to arrange. Whoever works more than
two hours over the week writes it down, and takes the time off within the next two months.

## Leave

New colleagues get 27 days of paid leave a year, and one more day for every two years at Kestrel, up to 32. Leave that is not taken by the end
of the year moves to the next one and ends on 31 March. Ask your team lead at least two weeks before you go away for longer than three days.

### Parental leave

Each parent takes 16 weeks at full pay, in up to three parts, before the child's third birthday. Tell the people team eight weeks ahead.

### Sick leave

Send a message to your team lead before 9:30. A doctor's note is needed from the fourth day on.

## Equipment

You choose between the 14-inch and the 16-inch laptop. It is replaced after 36 months. A lost or stolen laptop is reported to the service desk
within two hours, so that it can be locked from afar.

## Riding to work

Kestrel pays 0.30 euros for each kilometre you ride to work, up to 100 euros a month. Enter the kilometres by the fifth day of the following month.
`;export{e as default};
