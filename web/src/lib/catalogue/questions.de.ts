import type { Translation } from "../text";

export const questionsDe: Translation = {
  "model.menu": "Suchmodell",
  "model.title": "Suchmodell",
  "model.how":
    "Es macht Stellen und Fragen nach ihrer Bedeutung vergleichbar. Nach Wörtern wird mit jedem Modell gesucht.",
  "model.choose": "Eingebettet mit",
  "model.present": "in Gebrauch",
  "model.ofServer": "von diesem Server",
  "model.ofProvider": "von Ihrem Anbieter {name}",
  "model.languages": "für {languages}",
  "model.none": "Hier gibt es kein Einbettungsmodell: Stellen werden nur nach ihren Wörtern gefunden.",
  "model.gone":
    "{model} ist in Gebrauch, aber nicht verfügbar. Bis es wieder da ist oder Sie umziehen, werden Stellen nur nach ihren Wörtern gefunden.",
  "model.more": "Ihre Organisation kann ein eigenes Modell mitbringen.",
  "model.add": "Einbettungsmodell hinzufügen",
  "model.same": "Wählen Sie zuerst ein anderes Modell",
  "model.move": "Umziehen",
  "model.anew": {
    one: "Die Stellen von {count} Dokument werden im Hintergrund neu eingebettet; hochgeladen werden muss nichts. Wie lange das dauert, hängt vom Modell ab: die Wissensbasis zeigt, was noch fehlt.",
    other:
      "Die Stellen aller {count} Dokumente werden im Hintergrund neu eingebettet; hochgeladen werden muss nichts. Wie lange das dauert, hängt vom Modell ab: die Wissensbasis zeigt, was noch fehlt.",
  },
  "model.meanwhile":
    "Bis die letzte Stelle fertig ist, wird mit dem jetzigen Modell geantwortet. Dann wechseln alle auf einmal.",
  "model.meanwhileWords":
    "Bis die letzte Stelle fertig ist, werden sie nur nach ihren Wörtern gefunden. Dann wechseln alle auf einmal.",
  "model.sent": "Der Text aller Stellen und jeder Frage, die hier gestellt wird, geht an {name}.",
  "model.moving": "Umzug auf {model}",
  "model.progress": "Neu eingebettete Stellen",
  "model.passages": { one: "{done} von {count} Stelle", other: "{done} von {count} Stellen" },
  "model.waits": "Er wartet und geht von selbst weiter. {reason}",
  "model.givenUp":
    "Er wurde aufgegeben. {reason} Was fertig ist, bleibt; versuchen Sie es wieder, wenn das behoben ist.",
  "model.problem.model_missing": "Das Modell ist nicht zur Hand.",
  "model.problem.model_unavailable": "Der Dienst des Modells ist nicht erreichbar oder überlastet.",
  "model.problem.model_refused":
    "Der Dienst des Modells nimmt die Texte nicht an; prüfen Sie seinen Schlüssel, sein Guthaben und den Namen des Modells.",
  "model.problem.bad_answer":
    "Der Dienst des Modells antwortet mit etwas Unbrauchbarem; prüfen Sie seine Adresse und den Namen des Modells.",
  "model.problem.failed": "In Amebo ging etwas kaputt.",
  "model.said": "Er sagte: {detail}",
  "model.stay": "Beim jetzigen bleiben",
  "model.stayHow": "Sagt den Umzug ab; {model} bleibt in Gebrauch",
  "model.done": "Der Umzug ist fertig: Stellen werden jetzt mit {model} gefunden.",
  "seen.title": "Warum konnten sie das sehen?",
  "seen.of": "Warum konnten sie das sehen? „{question}“",
  "seen.asker.member": "Nur wer gefragt hat, hat diese Antwort gelesen: ein Mitglied Ihrer Organisation.",
  "seen.asker.colleague":
    "Nur wer gefragt hat, hat diese Antwort gelesen: jemand aus dem Workspace, der wissen darf, was jedes Mitglied wissen darf.",
  "seen.asker.outsider":
    "Nur wer gefragt hat, hat diese Antwort gelesen: jemand von außen; sie beruht daher auf dem, was allen offensteht.",
  "seen.insiders":
    "Alle in {place} lesen diese Antwort. Sie gehören alle zu Ihnen, also darf sie auf dem beruhen, was jedes Mitglied wissen darf.",
  "seen.outsiders":
    "Alle in {place} lesen diese Antwort, darunter Leute von außen oder Unbekannte. Sie beruht daher nur auf dem, was allen offensteht, und auf dem, was dort gesagt wurde.",
  "seen.shared":
    "In {place} können Leute anderer Firmen sein. Diese Antwort beruht daher nur auf dem, was allen offensteht, und auf dem, was dort gesagt wurde.",
  "seen.unknown":
    "Wer in {place} ist, ließ sich nicht durchsehen. Diese Antwort beruht daher nur auf dem, was allen offensteht, und auf dem, was dort gesagt wurde.",
  "seen.people": "Lesende",
  "seen.members": "Mitglieder",
  "seen.colleagues": "Kollegen",
  "seen.strangers": "Andere",
  "seen.sources": "Worauf sie beruht",
  "seen.nothing": "Sie beruht auf keinem Dokument, das Sie sehen dürfen.",
  "seen.now": "Die Lesenden sind die zur Zeit der Antwort. Ob sie ein Dokument sehen dürfen, wird jetzt nachgesehen.",
  "seen.because.changed":
    "Als die Antwort gegeben wurde, durften sie es sehen. Wer es sehen darf, oder wer sie lesen, hat sich seither geändert.",
  "seen.because.public": "Alle dürfen es sehen.",
  "seen.because.sameChannel": "Es wurde in dem Kanal gesagt, in dem geantwortet wurde; es lesen dieselben Leute.",
  "seen.because.all": "Alle Lesenden dürfen es sehen: {members} als Mitglieder, {colleagues} weitere als Kollegen.",
  "seen.because.asker": "Wer gefragt hat, darf es sehen, und sonst hat niemand die Antwort gelesen.",
  "seen.because.colleague":
    "Wer gefragt hat, darf wissen, was jedes Mitglied wissen darf, und sonst hat niemand die Antwort gelesen.",
  "asked.title": "Was gefragt wurde",
  "asked.lead": "Jede Frage, wo immer sie gestellt wurde, die neueste zuerst.",
  "asked.where": "Wo gefragt wurde",
  "asked.everywhere": "Überall",
  "asked.outcome": "Was daraus wurde",
  "asked.anyOutcome": "Jedes Ergebnis",
  "asked.none": "Es wurde nichts gefragt",
  "asked.noneHow": "Hier stehen die Fragen aller, für die, die lesen dürfen, was andere fragen.",
  "origin.slack": "Slack",
  "origin.session": "Dashboard",
  "origin.api": "API",
  "origin.chat_completions": "OpenAI-kompatible Programme",
  "origin.mcp": "Model Context Protocol",
  "origin.terminal": "Terminal",
};
