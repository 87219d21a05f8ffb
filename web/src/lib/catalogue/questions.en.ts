// What is said of the model that finds passages, of what was asked, and of who could see the answers, in English.
export const questionsEn = {
  "model.menu": "Search model",
  "model.title": "Search model",
  "model.how":
    "It makes passages and questions comparable by their meaning. Words are searched as well, whatever the model.",
  "model.choose": "Embedded with",
  "model.present": "in use",
  "model.ofServer": "of this server",
  "model.ofProvider": "of your provider {name}",
  "model.languages": "for {languages}",
  "model.none": "There is no embedding model here: passages are found by their words alone.",
  "model.gone":
    "{model}, which is in use, is not at hand. Until it is back or you move, passages are found by their words alone.",
  "model.more": "Your organization can bring a model of its own.",
  "model.add": "Add an embedding model",
  "model.same": "Choose another model first",
  "model.move": "Move",
  "model.anew": {
    one: "The passages of {count} document are embedded anew in the background; nothing has to be uploaded again. How long that takes depends on the model: the knowledge base shows what is left.",
    other:
      "The passages of all {count} documents are embedded anew in the background; nothing has to be uploaded again. How long that takes depends on the model: the knowledge base shows what is left.",
  },
  "model.meanwhile":
    "Questions are answered with the present model until the last passage is done. Then all change over at once.",
  "model.meanwhileWords":
    "Until the last passage is done they are found by their words alone. Then all change over at once.",
  "model.sent": "The text of all passages, and of every question asked here, is sent to {name}.",
  "model.moving": "Moving to {model}",
  "model.progress": "Passages embedded anew",
  "model.passages": { one: "{done} of {count} passage", other: "{done} of {count} passages" },
  "model.waits": "It waits and goes on by itself. {reason}",
  "model.givenUp": "It was given up. {reason} What is done stays; try again when that is mended.",
  "model.problem.model_missing": "The model is not at hand.",
  "model.problem.model_unavailable": "The model's service cannot be reached, or is overloaded.",
  "model.problem.model_refused":
    "The model's service refuses the texts; check its key, its credit and the name of the model.",
  "model.problem.bad_answer":
    "The model's service answers with what cannot be used; check its address and the name of the model.",
  "model.problem.failed": "Something broke inside Amebo.",
  "model.said": "It said: {detail}",
  "model.stay": "Stay with the present one",
  "model.stayHow": "Calls the move off; {model} stays in use",
  "model.done": "The move is done: passages are found with {model} now.",
  "seen.title": "Why could they see this?",
  "seen.of": "Why could they see this? “{question}”",
  "seen.asker.member": "Only the asker read this answer: a member of your organization.",
  "seen.asker.colleague":
    "Only the asker read this answer: somebody of the workspace whom you let know what every member may.",
  "seen.asker.outsider":
    "Only the asker read this answer: somebody from outside, so it rests on what is open to everybody.",
  "seen.insiders":
    "Everybody in {place} reads this answer. All of them belong to you, so it may rest on what every member may know.",
  "seen.outsiders":
    "Everybody in {place} reads this answer, people from outside or not known among them. So it rests on nothing but what is open to everybody and what was said there.",
  "seen.shared":
    "People of other companies may be in {place}. So this answer rests on nothing but what is open to everybody and what was said there.",
  "seen.unknown":
    "Who is in {place} could not be looked through. So this answer rests on nothing but what is open to everybody and what was said there.",
  "seen.people": "Readers",
  "seen.members": "Members",
  "seen.colleagues": "Colleagues",
  "seen.strangers": "Others",
  "seen.sources": "What it rests on",
  "seen.nothing": "It rests on no document that you may see.",
  "seen.now": "The readers are those of the time of the answer. Whether a document is theirs to see is looked up now.",
  "seen.because.changed": "They could see it when the answer was given. Its audience, or theirs, has changed since.",
  "seen.because.public": "Everybody may see it.",
  "seen.because.sameChannel": "It was said in the channel in which the answer was given, and the readers are the same.",
  "seen.because.all": "All readers are in its audience: {members} as members, {colleagues} more as colleagues.",
  "seen.because.asker": "The asker is in its audience, and nobody else read the answer.",
  "seen.because.colleague": "The asker may know what every member may, and nobody else read the answer.",
  "asked.title": "What was asked",
  "asked.lead": "Every question, wherever it was asked, the latest first.",
  "asked.where": "Where it was asked",
  "asked.everywhere": "Everywhere",
  "asked.outcome": "What became of it",
  "asked.anyOutcome": "Whatever came of it",
  "asked.none": "Nothing was asked",
  "asked.noneHow": "Questions of everybody are listed here for those who may read what others ask.",
  "origin.slack": "Slack",
  "origin.session": "Dashboard",
  "origin.api": "API",
  "origin.chat_completions": "OpenAI-compatible clients",
  "origin.mcp": "Model Context Protocol",
  "origin.terminal": "Terminal",
};
