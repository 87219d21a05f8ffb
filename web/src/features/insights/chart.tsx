import { date, number } from "../../lib/format";
import { t } from "../../lib/text";
import { ceiling } from "./ceiling";
import { type Day, SERIES, total } from "./days";

const WIDTH = 900;
const HEIGHT = 220;

/** A bar a day, by what became of the questions; as a table for whoever does not see it. */
export function Chart({ days }: { days: Day[] }) {
  const top = ceiling(Math.max(...days.map(total)));
  const marks = top > 1 ? [top, top / 2, 0] : [top, 0];
  const step = WIDTH / days.length;
  const used = SERIES.filter((name) => days.some((day) => day[name] > 0));
  return (
    <figure className="stack tight">
      <div className="plot small quiet" aria-hidden="true">
        <div className="scale">
          {marks.map((mark) => (
            <span key={mark}>{number(mark)}</span>
          ))}
        </div>
        <svg className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {marks.map((mark) => (
            <line key={mark} x1="0" x2={WIDTH} y1={HEIGHT * (1 - mark / top)} y2={HEIGHT * (1 - mark / top)} />
          ))}
          {days.map((day, index) => {
            let end = HEIGHT;
            return SERIES.map((name) => {
              const height = (day[name] / top) * HEIGHT;
              end -= height;
              if (height === 0) return null;
              return (
                <rect
                  key={`${day.day}${name}`}
                  className={name}
                  x={index * step + step * 0.15}
                  y={end}
                  width={step * 0.7}
                  height={height}
                >
                  <title>{`${date(day.day)}: ${number(day[name])} ${t(`outcome.${name}`)}`}</title>
                </rect>
              );
            });
          })}
        </svg>
      </div>
      <figcaption className="row between small quiet">
        <span>{date(days[0]?.day ?? new Date().toISOString())}</span>
        <span className="row legend">
          {used.map((name) => (
            <span key={name} className={name}>
              {t(`outcome.${name}`)}
            </span>
          ))}
        </span>
        <span>{date(days.at(-1)?.day ?? new Date().toISOString())}</span>
      </figcaption>
      <details className="small">
        <summary className="quiet">{t("insights.asTable")}</summary>
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("insights.day")}</th>
                {SERIES.map((name) => (
                  <th scope="col" key={name} className="end">
                    {t(`outcome.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days
                .filter((day) => total(day) > 0)
                .map((day) => (
                  <tr key={day.day}>
                    <th scope="row">{date(day.day)}</th>
                    {SERIES.map((name) => (
                      <td key={name} className="end numbers">
                        {number(day[name])}
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
