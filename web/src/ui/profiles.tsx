import { t } from "../lib/text";

export type Platform = "linkedin" | "twitter" | "facebook" | "instagram" | "youtube";

/** Each platform with its name and where profiles on it lie. */
export const PLATFORMS = [
  ["linkedin", "LinkedIn", "https://www.linkedin.com/company/…"],
  ["twitter", "X (Twitter)", "https://x.com/…"],
  ["facebook", "Facebook", "https://www.facebook.com/…"],
  ["instagram", "Instagram", "https://www.instagram.com/…"],
  ["youtube", "YouTube", "https://www.youtube.com/@…"],
] as const satisfies [Platform, string, string][];

type ProfilesProps = { organization: string; links: { platform: Platform; url: string }[] };

/** Where an organisation can be found elsewhere; nothing when it is nowhere. */
export function Profiles({ organization, links }: ProfilesProps) {
  const found = PLATFORMS.flatMap(([platform, name]) => {
    const link = links.find((one) => one.platform === platform);
    return link ? [{ name, url: link.url }] : [];
  });
  if (found.length === 0) return null;
  return (
    <ul className="profiles small" aria-label={t("social.of", { organization })}>
      {found.map(({ name, url }) => (
        <li key={name}>
          <a href={url} target="_blank" rel="noopener" aria-label={t("social.on", { organization, platform: name })}>
            {name}
          </a>
        </li>
      ))}
    </ul>
  );
}
