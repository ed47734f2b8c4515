#include "web/assets.h"

#include <array>

namespace ue::web {

namespace {

// Colours of text reach a contrast of 4.5:1 on their ground in both schemes; what is coloured also has a sign
// or a word.
constexpr std::string_view kStyle = R"(
:root{--ground:#f4f5f7;--card:#fff;--ink:#1a1f26;--soft:#57606a;--line:#dde1e6;--faint:#e9ecef;--good:#116329;--warn:#8a4600;--bad:#b3121d;--dim:#57606a;--link:#0a53b0;--fgood:#3fa45b;--fwarn:#e0a23c;--fbad:#d9363e;--fdim:#b9c0c8;--h0:#ec5f66;--h1:#e8833a;--h2:#e6c04a;--h3:#9cc665;--h4:#3fa45b;--tgood:#e3f3e7;--twarn:#fbf0dc;--tbad:#fbe6e6;--tdim:#eceff2}
@media (prefers-color-scheme:dark){:root{--ground:#0e1217;--card:#171c23;--ink:#e6e9ed;--soft:#a0a9b4;--line:#2c343e;--faint:#232a33;--good:#5fd07f;--warn:#f0b35a;--bad:#ff8a85;--dim:#a0a9b4;--link:#84b9ff;--fgood:#2f8f4c;--fwarn:#b9822a;--fbad:#d2454b;--fdim:#4a545f;--h0:#e5646b;--h1:#c66a2b;--h2:#b0922c;--h3:#6d9a45;--h4:#2f8f4c;--tgood:#16291c;--twarn:#2c2314;--tbad:#331a1c;--tdim:#20262e}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem 1rem 2rem;max-width:66rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;margin:0 0 1rem}
h1{margin:0;font-size:1.1rem}
h2{margin:0;font-size:1.15rem}
h3{margin:0 0 .3rem;font-size:.85rem;font-weight:600;color:var(--soft)}
p{margin:.3rem 0}
.soft,dt,caption,.axis{color:var(--soft)}
.soft{font-size:.9rem}
.good>.head b,b.good{color:var(--good)}.warn>.head b,b.warn{color:var(--warn)}.bad>.head b,b.bad{color:var(--bad)}.dim>.head b,b.dim{color:var(--dim)}
section{margin:0 0 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;overflow:hidden}
.head{padding:.8rem 1rem .7rem;border-left:.4rem solid var(--line)}
.good>.head{border-color:var(--good);background:var(--tgood)}.warn>.head{border-color:var(--warn);background:var(--twarn)}.bad>.head{border-color:var(--bad);background:var(--tbad)}.dim>.head{border-color:var(--dim);background:var(--tdim)}
.head .top{display:flex;flex-wrap:wrap;gap:0 1rem;align-items:baseline;justify-content:space-between}
.verdict{margin:.1rem 0;font-size:1.9rem;line-height:1.25}
.why{font-size:1.05rem;margin:.2rem 0 .3rem}
.where{margin:.2rem 0 .3rem}
.body{padding:.8rem 1rem 1rem;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:1rem 1.5rem}
.body>*{min-width:0}
.wide{grid-column:1/-1}
figure{margin:0}
figcaption{display:flex;justify-content:space-between;gap:.5rem;font-size:.85rem;color:var(--soft)}
figcaption b{color:var(--ink);font-size:1rem}
figcaption b.bad{color:var(--bad)}
svg{display:block;width:100%;height:2.6rem;background:var(--faint);border-radius:.25rem}
svg.strip{height:1.4rem}
svg .line{fill:none;stroke:var(--link);stroke-width:1.5;vector-effect:non-scaling-stroke}
.fgood{fill:var(--fgood)}.fwarn{fill:var(--fwarn)}.fbad{fill:var(--fbad)}.fdim{fill:var(--fdim)}
.axis{display:flex;justify-content:space-between;font-size:.8rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .8rem;margin:0;font-size:.9rem}
dd{margin:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .8rem .35rem 0;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{color:var(--soft);font-weight:normal;border-top:0}
th{font-weight:600}
td b,th{white-space:nowrap}
th .soft{font-weight:normal}
.heat{width:auto;min-width:100%;border-collapse:separate;border-spacing:2px;font-size:.8rem}
.heat th,.heat td{border:0;padding:.2rem .3rem;text-align:center;white-space:nowrap}
.heat thead th{font-size:.75rem}
.heat tbody th,.heat thead th:first-child{text-align:left;font-weight:normal;padding-left:0}
.heat td{border-radius:.2rem;background:var(--faint);min-width:2.2rem}
.heat .note{background:none;text-align:left}
.note .soft{font-size:inherit}
.heat td[class^=h]{color:#10151a;font-weight:600}
.h0{background:var(--h0)!important}.h1{background:var(--h1)!important}.h2{background:var(--h2)!important}.h3{background:var(--h3)!important}.h4{background:var(--h4)!important}
.heat .keep{box-shadow:inset 0 -3px var(--ink)}
details{font-size:.9rem}
summary{cursor:pointer;color:var(--link)}
ol{margin:.4rem 0 0;padding:0;list-style:none}
li{padding:.2rem 0;border-top:1px solid var(--line)}
code{font-size:.9em;background:var(--faint);padding:.05em .3em;border-radius:.2rem}
footer{color:var(--soft);font-size:.9rem}
#lost{position:sticky;top:0;z-index:1;margin:0 0 1rem;padding:.7rem 1rem;background:var(--tbad);color:var(--bad);border:2px solid var(--bad);border-radius:.5rem;font-weight:600}
#lost[hidden]{display:none}
.stale main{opacity:.55}
@media (max-width:44rem){body{padding:.6rem .6rem 2rem}.cards thead{display:none}.cards tr,.cards td,.cards tbody th{display:block}.cards tr{padding:.4rem 0;border-top:1px solid var(--line)}.cards tr:first-child{border-top:0}.cards td,.cards tbody th{padding:.1rem 0;border:0;overflow-wrap:anywhere}.cards td[data-of]::before{content:attr(data-of) ": ";color:var(--soft)}.verdict{font-size:1.6rem}}
@media (prefers-reduced-motion:no-preference){main{transition:opacity .3s}}
)";

// The page is rendered by the program alone: the script fetches it again and carries over what is different,
// so that what somebody has opened, selected or scrolled to stays.
constexpr std::string_view kScript = R"('use strict';
(() => {
  const every = 2000, hidden = 15000, patience = 4000, stuck = 20000;
  const lost = document.getElementById('lost');
  let since = 0, newest = document.body.dataset.published, fresh = Date.now(), timer = 0;

  const local = root => {
    for (const time of root.querySelectorAll('time[datetime]')) {
      const at = new Date(time.dateTime);
      if (!isNaN(at)) {
        time.title = time.textContent;
        time.textContent = at.toLocaleString([], {dateStyle: 'short', timeStyle: 'medium'});
      }
    }
  };
  const carry = (from, to) => {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to.cloneNode(true));
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.attributes) {
      for (const {name} of [...from.attributes])
        if (!to.hasAttribute(name) && !(name === 'open' && from.nodeName === 'DETAILS')) from.removeAttribute(name);
      for (const {name, value} of to.attributes)
        if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    const old = [...from.childNodes], young = [...to.childNodes];
    young.forEach((node, i) => old[i] ? carry(old[i], node) : from.append(node.cloneNode(true)));
    old.slice(young.length).forEach(node => node.remove());
  };
  const say = text => {
    document.body.classList.toggle('stale', text !== '');
    if (lost.textContent !== text) lost.textContent = text;
    lost.hidden = text === '';
    if (text && !document.title.startsWith('? ')) document.title = '? ' + document.title;
  };
  const clock = ms => new Date(ms).toLocaleTimeString();

  async function look() {
    clearTimeout(timer);
    try {
      const answer = await fetch(location.pathname, {cache: 'no-store', signal: AbortSignal.timeout(patience)});
      if (!answer.ok) throw new Error('it answers ' + answer.status + ' ' + answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      local(page);
      carry(document.querySelector('main'), page.querySelector('main'));
      carry(document.querySelector('footer'), page.querySelector('footer'));
      document.title = page.title;
      since = 0;
      const published = page.body.dataset.published;
      if (published !== newest) {
        newest = published;
        fresh = Date.now();
      }
      const silent = Date.now() - fresh;
      say(silent > stuck && newest ? `The agent answers, but has had nothing new to say since ${clock(fresh)}.` : '');
    } catch (error) {
      since = since || Date.now();
      const why = error.message.startsWith('it answers') ? ` (${error.message})` : '';
      say(`Lost the agent: no answer since ${clock(since)}${why}. What stands below is from before.`);
    }
    timer = setTimeout(look, document.hidden ? hidden : every);
  }
  local(document);
  document.addEventListener('visibilitychange', () => document.hidden || look());
  timer = setTimeout(look, every);
})();
)";

constexpr std::string_view kIcon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0a53b0"/><path d="M5 13V4M2.5 6.5 5 3.5 7.5 6.5M11 3v9M8.5 9.5 11 12.5 13.5 9.5" fill="none" stroke="#fff" stroke-width="1.6"/></svg>)";

constexpr std::array<Asset, 3> kAssets{{
    {"/static/page.css", "text/css; charset=utf-8", kStyle},
    {"/static/page.js", "text/javascript; charset=utf-8", kScript},
    {"/static/icon.svg", "image/svg+xml", kIcon},
}};

}  // namespace

const Asset* find_asset(std::string_view path) {
  for (const auto& asset : kAssets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace ue::web
