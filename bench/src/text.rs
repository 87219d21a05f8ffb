//! Texts to search: made up, different, and long enough to resemble what people write.

const SUBJECTS: [&str; 12] = [
    "pump",
    "valve",
    "boiler",
    "gearbox",
    "ferry",
    "warehouse",
    "turbine",
    "orchard",
    "bakery",
    "library",
    "clinic",
    "workshop",
];
const PLACES: [&str; 10] = [
    "Aarhus", "Bilbao", "Cork", "Dresden", "Esbjerg", "Fez", "Genoa", "Haifa", "Izmir", "Jena",
];
const PEOPLE: [&str; 10] = [
    "Amara", "Bo", "Chidi", "Dana", "Emeka", "Farida", "Goran", "Hana", "Ines", "Jun",
];

/// A document of about ten passages, each with facts that no other document has.
pub fn document(number: usize) -> String {
    (0..10)
        .map(|part| paragraph(number, part))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// A question that one document answers.
pub fn question(number: usize) -> String {
    format!(
        "Who inspects the {} number {number} in {}?",
        subject(number, 0),
        place(number, 0)
    )
}

fn paragraph(number: usize, part: usize) -> String {
    let (subject, place) = (subject(number, part), place(number, part));
    let person = PEOPLE[(number * 3 + part) % PEOPLE.len()];
    format!(
        "The {subject} number {number} in {place} is inspected by {person} on day {} of each month, and by nobody else. The inspection of part {part} takes {} minutes \
         when the weather is dry and twice as long when it rains, since the cover must be dried before it is closed again. What is found is written into the book with the code \
         {subject}-{number}-{part}, together with the reading of the gauge, which should stand between {} and {}. A reading outside these bounds is reported to the office in {place} before \
         noon; the office then decides whether the {subject} is stopped, and who is told. Spare parts are kept on shelf {} and ordered anew when fewer than {} are left.",
        number % 28 + 1,
        20 + (number * 7 + part) % 50,
        10 + part,
        40 + (number + part) % 60,
        number % 90 + 1,
        2 + part % 5,
    )
}

fn subject(number: usize, part: usize) -> &'static str {
    SUBJECTS[(number + part) % SUBJECTS.len()]
}

fn place(number: usize, part: usize) -> &'static str {
    PLACES[(number / 7 + part) % PLACES.len()]
}
