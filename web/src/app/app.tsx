import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { useAccount } from "../api/account";
import { Problem } from "../api/problem";
import { onSessionEnded, sessionEnded } from "../api/session";
import { SignInAgain } from "../features/entrance/sign-in";
import { LanguageContext } from "../lib/language";
import { match, usePath } from "../lib/router";
import { currentLanguage, keepLanguage, type Language, loadCatalogue } from "../lib/text";
import { Toasts } from "../ui/toast";
import { Boundary } from "./boundary";
import { entrances, expectPage, Inside } from "./inside";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
    },
  },
});

expectPage(location.pathname);

export function App() {
  const [language, setLanguage] = useState(currentLanguage);
  const choose = async (next: Language) => {
    await loadCatalogue(next);
    keepLanguage(next);
    setLanguage(next);
  };
  return (
    <LanguageContext value={{ language, choose }}>
      <QueryClientProvider client={client}>
        {/* Another language is another page: every text is taken anew. */}
        <Boundary key={language}>
          <Pages />
          <Again />
        </Boundary>
        <Toasts />
      </QueryClientProvider>
    </LanguageContext>
  );
}

function Pages() {
  const path = usePath();
  for (const [pattern, Entrance] of entrances) {
    if (match(pattern, path)) return <Entrance />;
  }
  return <Inside path={path} />;
}

function Again() {
  const ended = useSyncExternalStore(onSessionEnded, sessionEnded);
  return ended ? <KnownAgain /> : null;
}

function KnownAgain() {
  const account = useAccount();
  return <SignInAgain email={account.data?.email} />;
}
