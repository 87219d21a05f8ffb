// Warum Dokumente zurückgestellt und Seiten nicht gelesen wurden.
export const failuresDe = {
  "failure.empty": "Diese Datei ist leer. Prüfen Sie sie und laden Sie sie noch einmal hoch.",
  "failure.no_text":
    "In dieser Datei wurde kein Text gefunden. Ist sie ein Scan oder enthält sie nur Bilder, dann lassen Sie eine Texterkennung (OCR) darüberlaufen und laden Sie das Ergebnis hoch.",
  "failure.old_word":
    "Diese alte Word-Datei konnte nicht gelesen werden. Öffnen Sie sie in Word, speichern Sie sie als .docx und laden Sie sie noch einmal hoch.",
  "failure.old_excel":
    "Diese alte Excel-Datei konnte nicht gelesen werden. Öffnen Sie sie in Excel, speichern Sie sie als .xlsx und laden Sie sie noch einmal hoch.",
  "failure.old_power_point":
    "Diese alte PowerPoint-Datei konnte nicht gelesen werden. Öffnen Sie sie in PowerPoint, speichern Sie sie als .pptx und laden Sie sie noch einmal hoch.",
  "failure.outlook_message":
    "Das ist eine .msg-Datei von Outlook. Speichern Sie die Nachricht als .eml oder als Text und laden Sie sie noch einmal hoch.",
  "failure.old_office":
    "Das ist eine alte Office-Datei, die beschädigt oder von unbekannter Art ist. Speichern Sie sie in einem heutigen Format und laden Sie sie noch einmal hoch.",
  "failure.password_protected":
    "Diese Datei ist mit einem Kennwort geschützt. Entfernen Sie das Kennwort und laden Sie sie noch einmal hoch.",
  "failure.open_document":
    "OpenDocument-Dateien werden noch nicht gelesen. Speichern Sie diese Datei als .docx, .xlsx, .pptx oder PDF und laden Sie sie noch einmal hoch.",
  "failure.rich_text":
    "Rich Text Format wird noch nicht gelesen. Speichern Sie diese Datei als .docx oder PDF und laden Sie sie noch einmal hoch.",
  "failure.post_script":
    "PostScript-Dateien werden nicht gelesen. Speichern Sie diese Datei als PDF und laden Sie sie noch einmal hoch.",
  "failure.electronic_book":
    "EPUB-Bücher werden noch nicht gelesen. Speichern Sie diese Datei als PDF oder HTML und laden Sie sie noch einmal hoch.",
  "failure.image":
    "Das ist ein Bild, kein Dokument. Zeigt es Text, dann lassen Sie eine Texterkennung (OCR) darüberlaufen und laden Sie das Ergebnis hoch.",
  "failure.media": "Das ist eine Ton- oder Filmdatei. Laden Sie stattdessen ihre Abschrift als Text hoch.",
  "failure.archive": "Das ist ein Archiv. Entpacken Sie es und laden Sie die Dokumente darin hoch.",
  "failure.unknown_kind":
    "Diese Art von Datei kann nicht gelesen werden. Laden Sie PDF, Word, PowerPoint, Excel, HTML, Markdown, CSV, E-Mail oder einfachen Text hoch.",
  "failure.damaged":
    "Diese Datei ist beschädigt und konnte nicht gelesen werden. Öffnen Sie sie in dem Programm, das sie gemacht hat, speichern Sie sie neu und laden Sie das hoch.",
  "failure.too_deep":
    "Die Teile dieser Datei sind zu tief ineinander geschachtelt. Speichern Sie sie als einfachen Text oder PDF und laden Sie das hoch.",
  "failure.too_large":
    "Diese Datei ist größer als {megabytes} MB. Teilen Sie sie in kleinere Teile und laden Sie diese hoch.",
  "failure.too_much_text":
    "Diese Datei enthält zu viel Text. Teilen Sie sie in kleinere Teile und laden Sie diese hoch.",
  "failure.timed_out":
    "Das Lesen dieser Datei dauerte länger als {seconds} Sekunden und wurde abgebrochen. Teilen Sie sie in kleinere Teile, oder speichern Sie sie neu in dem Programm, das sie gemacht hat.",
  "failure.no_pdf_engine":
    "PDF-Dateien können auf diesem Server noch nicht gelesen werden. Bitten Sie den Betreiber, „amebo models install“ auszuführen.",
  "failure.reader_unavailable":
    "Das Programm, das Dokumente liest, konnte nicht gestartet werden. Versuchen Sie es später noch einmal.",
  "failure.original_damaged": "Die gespeicherte Datei ist beschädigt. Laden Sie das Dokument noch einmal hoch.",
  "failure.storage_unavailable":
    "Die gespeicherte Datei konnte nicht geholt werden. Versuchen Sie es später noch einmal.",
  "failure.model_unavailable": "Das Suchmodell war nicht erreichbar. Versuchen Sie es später noch einmal.",
  "failure.model_refused":
    "Das Suchmodell hat den Text abgelehnt. Wer verwaltet, sieht nach Schlüssel, Kontingent und Name.",
  "failure.model_unusable": "Das Suchmodell gab eine unbrauchbare Antwort. Wer verwaltet, sieht nach Adresse und Name.",
  "failure.page_refused": "{host} liegt nicht im öffentlichen Internet, und dieser Server macht dafür keine Ausnahme.",
  "failure.page_unresolved": "Zum Namen {host} gibt es keine Adresse. Prüfen Sie die Schreibweise.",
  "failure.page_unreachable": "Die Seite war nicht zu erreichen. Zur nächsten Zeit wird es wieder versucht.",
  "failure.page_timed_out": "Die Seite hat nicht rechtzeitig geantwortet. Zur nächsten Zeit wird es wieder versucht.",
  "failure.page_too_large": "Die Seite ist größer als {megabytes} MB.",
  "failure.page_redirects": "Die Seite führt im Kreis weiter. Nehmen Sie die Adresse, bei der ein Browser ankommt.",
  "failure.page_answered":
    "Die Seite antwortete {status} statt mit ihrem Inhalt. Prüfen Sie, ob die Adresse noch gilt.",
  "failure.already_there": "Ein anderes Dokument dieser Wissensbasis sagt dasselbe.",
  "failure.limit_reached":
    "Der Tarif lässt keine weiteren Dokumente oder keinen weiteren Speicher zu. Entfernen Sie etwas, oder bitten Sie um einen größeren Tarif.",
  "failure.knowledge_base_closed": "Die Wissensbasis nimmt zurzeit keine Dokumente auf: Sie ist archiviert.",
  "failure.failed":
    "In Amebo ist etwas schiefgegangen. Versuchen Sie es noch einmal; bleibt es so, sagen Sie es dem Betreiber dieses Servers.",
  "failure.said": "Gemeldet wurde: {detail}",
};
