//! The few words that stand around an answer, in the languages Amebo has them in.

/// The words of one language.
pub(super) struct Wording {
    pub(super) sources: &'static str,
    pub(super) closest: &'static str,
    pub(super) high: &'static str,
    pub(super) medium: &'static str,
    pub(super) low: &'static str,
    pub(super) helpful: &'static str,
    pub(super) unhelpful: &'static str,
    pub(super) share: &'static str,
    pub(super) asked: &'static str,
    pub(super) link: &'static str,
}

const ENGLISH: Wording = Wording {
    sources: "Sources",
    closest: "What came closest",
    high: "Likely right",
    medium: "Probably right: check the source",
    low: "Uncertain: check the source",
    helpful: "Helpful",
    unhelpful: "Not helpful",
    share: "Share with the channel",
    asked: "asked",
    link: "I have an account in Amebo",
};

const GERMAN: Wording = Wording {
    sources: "Quellen",
    closest: "Was dem am nächsten kam",
    high: "Wahrscheinlich richtig",
    medium: "Vermutlich richtig: bitte in der Quelle prüfen",
    low: "Unsicher: bitte in der Quelle prüfen",
    helpful: "Hilfreich",
    unhelpful: "Nicht hilfreich",
    share: "Im Kanal teilen",
    asked: "fragte",
    link: "Ich habe ein Konto in Amebo",
};

const FRENCH: Wording = Wording {
    sources: "Sources",
    closest: "Ce qui s'en rapproche le plus",
    high: "Très probablement exact",
    medium: "Probablement exact : vérifiez la source",
    low: "Incertain : vérifiez la source",
    helpful: "Utile",
    unhelpful: "Pas utile",
    share: "Partager dans le canal",
    asked: "a demandé",
    link: "J'ai un compte Amebo",
};

const SPANISH: Wording = Wording {
    sources: "Fuentes",
    closest: "Lo más parecido",
    high: "Muy probablemente correcto",
    medium: "Probablemente correcto: compruebe la fuente",
    low: "Incierto: compruebe la fuente",
    helpful: "Útil",
    unhelpful: "No es útil",
    share: "Compartir en el canal",
    asked: "preguntó",
    link: "Tengo una cuenta de Amebo",
};

impl Wording {
    /// The words of a language (ISO 639-1), English where Amebo has none.
    pub(super) fn of(language: Option<&str>) -> &'static Self {
        match language {
            Some("de") => &GERMAN,
            Some("fr") => &FRENCH,
            Some("es") => &SPANISH,
            _ => &ENGLISH,
        }
    }
}
