// Why documents were set aside and pages not read, in English.
export const failuresEn = {
  "failure.empty": "This file is empty. Check it and upload it again.",
  "failure.no_text":
    "No text was found in this file. If it is a scan or holds only pictures, run text recognition (OCR) on it and upload the result.",
  "failure.old_word": "This old Word file could not be read. Open it in Word, save it as .docx and upload it again.",
  "failure.old_excel": "This old Excel file could not be read. Open it in Excel, save it as .xlsx and upload it again.",
  "failure.old_power_point":
    "This old PowerPoint file could not be read. Open it in PowerPoint, save it as .pptx and upload it again.",
  "failure.outlook_message": "This is an Outlook .msg file. Save the message as .eml or as text and upload it again.",
  "failure.old_office":
    "This is an old Office file that is damaged or of an unknown kind. Save it in a current format and upload it again.",
  "failure.password_protected": "This file is protected by a password. Remove the password and upload it again.",
  "failure.open_document":
    "OpenDocument files are not read yet. Save this file as .docx, .xlsx, .pptx or PDF and upload it again.",
  "failure.rich_text": "Rich Text Format is not read yet. Save this file as .docx or PDF and upload it again.",
  "failure.post_script": "PostScript files are not read. Save this file as PDF and upload it again.",
  "failure.electronic_book": "EPUB books are not read yet. Save this file as PDF or HTML and upload it again.",
  "failure.image":
    "This is a picture, not a document. If it shows text, run text recognition (OCR) on it and upload the result.",
  "failure.media": "This is an audio or video file. Upload its transcript as text instead.",
  "failure.archive": "This is an archive. Unpack it and upload the documents inside.",
  "failure.unknown_kind":
    "This file is of a kind that cannot be read. Upload PDF, Word, PowerPoint, Excel, HTML, Markdown, CSV, e-mail or plain text.",
  "failure.damaged":
    "This file is damaged and could not be read. Open it in the program that made it, save it again and upload that.",
  "failure.too_deep": "This file nests its parts too deeply to be read. Save it as plain text or PDF and upload that.",
  "failure.too_large": "This file is larger than {megabytes} MB. Split it into smaller parts and upload those.",
  "failure.too_much_text": "This file holds too much text. Split it into smaller parts and upload those.",
  "failure.timed_out":
    "Reading this file took longer than {seconds} seconds and was stopped. Split it into smaller parts, or save it again in the program that made it.",
  "failure.no_pdf_engine":
    "PDF files cannot be read on this server yet. Ask its operator to run “amebo models install”.",
  "failure.reader_unavailable": "The program that reads documents could not be started. Try again later.",
  "failure.original_damaged": "The stored file is damaged. Upload the document again.",
  "failure.storage_unavailable": "The stored file could not be fetched. Try again later.",
  "failure.model_unavailable": "The search model was not available. Try again later.",
  "failure.model_refused":
    "The search model refused the text. An administrator looks at its key, its quota and its name.",
  "failure.model_unusable":
    "The search model gave an answer that cannot be used. An administrator looks at its address and its name.",
  "failure.page_refused": "{host} is not on the public internet, and this server makes no exception for it.",
  "failure.page_unresolved": "There is no address for the name {host}. Check how it is spelt.",
  "failure.page_unreachable": "The page could not be reached. It is tried again at its next time.",
  "failure.page_timed_out": "The page did not answer in time. It is tried again at its next time.",
  "failure.page_too_large": "The page is larger than {megabytes} MB.",
  "failure.page_redirects": "The page leads on in a circle. Take the address at which a browser arrives.",
  "failure.page_answered": "The page answered {status} instead of its content. Check that its address still holds.",
  "failure.already_there": "Another document of this knowledge base says the same.",
  "failure.limit_reached": "The plan has no room for more documents or storage. Remove some, or ask for a larger plan.",
  "failure.knowledge_base_closed": "The knowledge base takes no documents at the moment: it is archived.",
  "failure.failed": "Something went wrong inside Amebo. Try again; if it stays so, tell whoever operates this server.",
  "failure.said": "What was said: {detail}",
} as const;
