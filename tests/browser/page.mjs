// Plays the acts that page.py names on standard input, with the browser that this namespace's agent is seen in.
import {createInterface} from 'node:readline';
import {chromium} from 'playwright-core';

const url = 'http://127.0.0.1:10177/';
const shots = process.argv[2];
const patience = 90_000;  // ms for what the page must come to show
const looks = [
  {name: 'desktop-light', colorScheme: 'light', viewport: {width: 1280, height: 900}},
  {name: 'desktop-dark', colorScheme: 'dark', viewport: {width: 1280, height: 900}},
  {name: 'phone-light', colorScheme: 'light', viewport: {width: 390, height: 844}, isMobile: true, hasTouch: true},
  {name: 'phone-dark', colorScheme: 'dark', viewport: {width: 360, height: 740}, isMobile: true, hasTouch: true},
];
const complaints = [];  // of the browser: a policy that is not kept, a script that fails, a file that is not there
const foreign = [];     // requests to anywhere else

async function test(says, check) {
  try {
    await check();
    console.log(`ok   ${says}`);
  } catch (error) {
    console.log(`FAIL ${says}: ${error.message.split('\n').slice(0, 4).join(' | ')}`);
  }
}
function expect(condition, text) {
  if (!condition) throw new Error(text);
}

async function open(browser, look) {
  const {name, ...options} = look;
  const context = await browser.newContext({...options, locale: 'en-GB', timezoneId: 'UTC'});
  const page = await context.newPage();
  page.on('console', message => message.type() === 'error' && complaints.push(`${name}: ${message.text()}`));
  page.on('pageerror', error => complaints.push(`${name}: ${error}`));
  page.on('request', request => request.url().startsWith(url) || foreign.push(request.url()));
  await page.goto(url);
  return page;
}
const shoot = (page, act, look) => shots && page.screenshot({path: `${shots}/${act}-${look}.png`, fullPage: true});

/// What is too wide for the screen makes a phone scroll sideways.
const overflow = page => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/// Text whose colour stands out less than 4.5:1 from what it stands on (WCAG 2.1 §1.4.3).
const faint = page => page.evaluate(() => {
  const numbers = color => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
    if (!own || !element.checkVisibility() || element.closest('svg')) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${element.className || element.nodeName} "${element.textContent.slice(0, 20)}" ${contrast.toFixed(2)}`);
  }
  return found;
});

/// Each look: readable, nothing sideways, a picture.
async function everyLook(browser, act, check) {
  for (const look of looks) {
    const page = await open(browser, look);
    await test(`${act} ${look.name}: what is to be seen is there, readable and within the screen`, async () => {
      await check(page);
      expect(await overflow(page) <= 0, `${await overflow(page)} px too wide`);
      const pale = await faint(page);
      expect(pale.length === 0, `too pale: ${pale.join(', ')}`);
    });
    await shoot(page, act, look.name);
    await page.context().close();
  }
}

/// What the README shows: from the top to the end of the uplink that is in trouble.
async function portrait(browser, uplink) {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, {name: `portrait-${colorScheme}`, colorScheme, viewport: {width: 960, height: 900}});
    await page.locator(`#uplink-${uplink} svg:not(.strip) .fbad`).first().waitFor({state: 'attached', timeout: patience});
    const {y, height} = await page.locator(`#uplink-${uplink}`).boundingBox();
    await page.screenshot({path: `${shots}/portrait-${colorScheme}.png`, fullPage: true, clip: {x: 0, y: 0, width: 960, height: y + height + 12}});
    await page.context().close();
  }
}

let live;  // one page that is never reloaded

const acts = {
  async healthy(browser) {
    await everyLook(browser, 'healthy', async page => {
      expect(await page.title() === 'all healthy – uplink_exporter', await page.title());
      expect(await page.locator('section.good').count() === 2, 'two healthy uplinks');
      expect(await page.locator('#uplink-mansion table.heat tbody tr').count() > 0, 'the ladder');
      expect(await page.locator('#uplink-mansion svg').count() >= 4, 'the drawings');
      expect((await page.locator('section:has(> .head > h2:text-is("OpenVPN")) tbody').innerText()).includes('connected'), 'the tunnel');
      expect(await page.locator('h2:text-is("Routes")').count() === 1, 'the routes');
    });
    live = await open(browser, looks[3]);
    await test('healthy: the page renews itself in place, and what was opened stays open', async () => {
      const published = await live.evaluate(() => document.querySelector('footer time').title);
      await live.locator('#uplink-mansion details').first().evaluate(d => d.open = true);
      await live.evaluate(() => window.untouched = document.querySelector('#uplink-mansion h2').firstChild);
      await live.waitForFunction(old => document.querySelector('footer time').title !== old, published, {timeout: patience});
      expect(await live.evaluate(() => window.untouched.isConnected), 'what had not changed was replaced');
      expect(await live.locator('#uplink-mansion details').first().evaluate(d => d.open), 'it closed');
    });
    await test('healthy: without a script the page says the same and reloads', async () => {
      const context = await browser.newContext({javaScriptEnabled: false});
      const page = await context.newPage();
      await page.goto(url);
      expect(await page.locator('section.good .verdict').first().textContent() === '✔ healthy', 'the verdict');
      expect((await page.content()).includes('http-equiv="refresh"'), 'the reload');
      await context.close();
    });
  },

  async one_way(browser) {
    await test('one_way: the page that is open comes to say so by itself, with why', async () => {
      await live.waitForFunction(() => document.title.startsWith('mansion one_way'), null, {timeout: patience});
      expect(await live.locator('#uplink-mansion.bad .verdict').textContent() === '✖ one_way', 'the verdict');
      expect((await live.locator('#uplink-mansion .why').textContent()).includes('no longer come back'), 'why');
      expect(await live.locator('#uplink-five_g.good').count() === 1, 'the other uplink');
    });
    await test('one_way: it says where the fault lies, and what tells', async () => {
      const text = await live.locator('#uplink-mansion .where').textContent({timeout: patience});
      expect(/^The fault lies at the carrier\. .*hop.*\.$/.test(text), text);
    });
    await test('one_way: the figure does not say that all came back while replies are missing', async () => {
      const figure = await live.locator('#uplink-mansion figcaption:has-text("Return")').first().textContent();
      expect(!/Return 100 %$/.test(figure), figure);
    });
    await test('one_way: /api/v1/status says the same', async () => {
      const status = await live.evaluate(async () => (await fetch('/api/v1/status')).json());
      const mansion = status.uplinks.find(u => u.name === 'mansion');
      expect(mansion.verdict === 'one_way' && mansion.history.at(-1).verdict === 'one_way', JSON.stringify(mansion.history));
      expect(mansion.paths[0].minutes.bins.some(bin => bin[2] + bin[4] > 0), 'probes without a reply');
    });
    await everyLook(browser, 'one_way', async page => {
      await page.locator('#uplink-mansion details').first().evaluate(d => d.open = true);
      expect(await page.locator('#uplink-mansion li').count() >= 3, 'its history');
      expect(await page.locator('#uplink-mansion svg:not(.strip) :is(.fbad, .fdim)').count() > 0, 'losses in the drawings');
    });
    if (shots) await test('one_way: what was lost is known in time', () => portrait(browser, 'mansion'));
  },

  async killed() {
    await test('killed: the page says that it lost the agent, and keeps what it knew', async () => {
      await live.locator('#lost').waitFor({state: 'visible', timeout: patience});
      const text = await live.locator('#lost').textContent();
      expect(/^Lost the agent: no answer since [\d:]+\. What stands below is from before\.$/.test(text), text);
      expect((await live.title()).startsWith('? mansion one_way'), await live.title());
      expect(await live.locator('#uplink-mansion .verdict').textContent() === '✖ one_way', 'the verdict');
    });
    await live.waitForTimeout(500);  // the fading of what is old, for the picture
    await shoot(live, 'killed', looks[3].name);
  },

  async back() {
    await test('back: the page goes on by itself once the agent answers', async () => {
      await live.locator('#lost').waitFor({state: 'hidden', timeout: patience});
      expect(!(await live.title()).startsWith('?'), await live.title());
    });
    await test('nothing was loaded from elsewhere, and the browser had nothing to object to', async () => {
      expect(foreign.length === 0, foreign.join(', '));
      const unexpected = complaints.filter(text => !text.includes('net::ERR_'));  // while the agent was dead
      expect(unexpected.length === 0, unexpected.join(' | '));
    });
  },
};

const browser = await chromium.launch({
  executablePath: process.env.UPLINK_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],  // the tests run as root, in a world of their own
});
for await (const act of createInterface({input: process.stdin})) {
  try {
    await acts[act](browser);
  } catch (error) {
    console.log(`FAIL ${act}: ${error.message}`);
  }
  console.log(`end ${act}`);
}
await browser.close();
