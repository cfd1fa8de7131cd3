/// What moves the page. It draws only what can be seen, so that long runs stay quick.
enum PageScript {
    static let text = #"""
        'use strict';
        const run = JSON.parse(document.getElementById('run').textContent);
        const $ = id => document.getElementById(id);
        const LEFT = 96, TOP = 30, SPACE = 14;
        let column = 26, lane = 74, current = 0, timer = null;

        // Which of its process's events each event is, from 1.
        const own = run.processes.map(() => []);
        run.events.forEach((event, index) => own[event.process].push(index));
        const isBefore = (a, b) => {
          const p = run.events[a].process;
          return run.events[a].clock[p] <= run.events[b].clock[p];
        };
        const x = index => LEFT + column + index * column;
        const y = process => TOP + 34 + process * lane;
        const name = process => run.processes[process];

        function element(tag, attributes, text) {
          const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
          for (const key in attributes) made.setAttribute(key, attributes[key]);
          if (text !== undefined) made.textContent = text;
          return made;
        }

        function cutX(cut, process) {
          const events = own[process], count = cut.events[process];
          const last = count > 0 ? events[Math.min(count, events.length) - 1] : null;
          const next = count < events.length ? events[count] : null;
          if (last !== null && next !== null) return Math.min(x(last) + column / 2, (x(last) + x(next)) / 2);
          if (last !== null) return x(last) + column / 2;
          return next !== null ? Math.max(LEFT + 6, x(next) - column / 2) : LEFT + column / 2;
        }

        // Where a cut lies in the run: it is shown once the run has passed it.
        const cutPlace = cut => Math.max(0, ...cut.events.map((count, p) => count > 0 ? own[p][count - 1] : 0));

        function draw() {
          const box = $('diagram');
          const room = (box.clientHeight - TOP - 90) / Math.max(1, run.processes.length - 1);
          lane = Math.max(50, Math.min(140, room));
          const width = x(run.events.length) + 60, height = y(run.processes.length - 1) + 56;
          const from = Math.floor((box.scrollLeft - LEFT) / column) - 3;
          const to = Math.ceil((box.scrollLeft + box.clientWidth - LEFT) / column) + 3;
          const svg = element('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
          const kinds = $('kinds').value;
          run.processes.forEach((process, p) => {
            svg.append(element('line', { class: 'lane', x1: LEFT, x2: width - 12, y1: y(p), y2: y(p) }));
          });
          svg.append(element('line', { class: 'now', x1: x(current), x2: x(current), y1: TOP, y2: height - 20 }));
          run.messages.forEach(message => {
            if (kinds !== 'all' && message.kind !== kinds) return;
            const end = message.receivedBy === null ? message.sentBy : message.receivedBy;
            if (end < from || message.sentBy > to) return;
            svg.append(messagePicture(message));
          });
          run.cuts.forEach(cut => {
            const later = cutPlace(cut) > current ? ' later' : '';
            const top = cutX(cut, 0);
            const points = run.processes.map((_, p) => `${cutX(cut, p)},${y(p)}`);
            points.unshift(`${top},${TOP}`);
            points.push(`${cutX(cut, run.processes.length - 1)},${height - 26}`);
            svg.append(element('polyline', {
              class: 'cut' + (cut.isConsistent ? '' : ' wrong') + later, points: points.join(' ') }));
            svg.append(element('text', { class: 'cutname' + later, x: top + 5, y: TOP - 4 }, cut.name));
          });
          for (let index = Math.max(0, from); index <= Math.min(to, run.events.length - 1); index++) {
            svg.append(eventPicture(index));
          }
          if (svg.querySelectorAll('.message').length > 120) svg.classList.add('crowded');
          // Names stay where they are while the diagram moves.
          const left = box.scrollLeft;
          svg.append(element('rect', { x: left, y: 0, width: LEFT - 14, height, fill: 'var(--back)' }));
          run.processes.forEach((process, p) => {
            svg.append(element('text', { x: left + 14, y: y(p) + 5 }, process));
          });
          box.replaceChildren(svg);
        }

        function messagePicture(message) {
          const isNear = message.sentBy === current || message.receivedBy === current;
          const later = message.sentBy > current ? ' later' : isNear ? ' near' : '';
          const kind = `message ${message.kind}${message.receivedBy === null ? ' lost' : ''}${later}`;
          const x1 = x(message.sentBy), y1 = y(message.from);
          const group = element('g', {});
          let line;
          if (message.receivedBy === null) {
            const down = message.to > message.from ? 1 : -1;
            line = element('line', { class: kind, x1, y1, x2: x1 + 20, y2: y1 + 20 * down });
          } else {
            // Until it is received, a message is as far as time has come.
            const end = x(message.receivedBy), y2 = y(message.to);
            const part = message.receivedBy <= current || message.sentBy > current ? 1
              : Math.max(Math.min(.08, 20 / (end - x1)), (x(current) - x1) / (end - x1));
            if (message.from === message.to) {
              line = element('path', { class: kind, d: `M${x1} ${y1} Q${(x1 + end) / 2} ${y1 - 32} ${end} ${y2}` });
            } else {
              line = element('line', { class: kind, x1, y1, x2: x1 + (end - x1) * part, y2: y1 + (y2 - y1) * part });
            }
          }
          line.append(element('title', {}, `${message.label} from ${name(message.from)} to ${name(message.to)}`));
          group.append(line);
          if (isNear) {
            const end = message.receivedBy === null ? x1 + 20 : x(message.receivedBy);
            const far = message.sentBy === current ? .72 : .28;
            const middle = message.from === message.to ? y1 - 22 : y1 + (y(message.to) - y1) * far;
            group.append(element('text', { class: 'label', x: x1 + (end - x1) * far + 6, y: middle }, message.label));
          }
          return group;
        }

        function eventPicture(index) {
          const event = run.events[index];
          let kind = `event ${event.kind}`;
          if (index === current) kind += ' current';
          else if (isBefore(index, current)) kind += ' past';
          else if (isBefore(current, index)) kind += ' future';
          if (index > current && !isBefore(current, index)) kind += ' later';
          const made = element('circle', {
            class: kind, cx: x(index), cy: y(event.process), r: event.kind === 'step' ? 6 : 8 });
          made.append(element('title', {}, `${index + 1}. ${event.sentence}`));
          made.addEventListener('click', () => go(index));
          return made;
        }

        function section(title, lines, here) {
          const head = document.createElement('h2');
          head.textContent = title;
          const body = document.createElement('pre');
          body.textContent = lines.join('\n') || '(nothing)';
          if (here) body.className = 'here';
          return [head, body];
        }

        function tell() {
          const event = run.events[current];
          $('sentence').textContent = event.sentence;
          $('place').textContent = `event ${current + 1} of ${run.events.length}`;
          const beside = [];
          event.details.forEach(detail => beside.push(...section(detail.title, detail.lines)));
          run.processes.forEach((process, p) => {
            const before = own[p].filter(index => index <= current);
            const last = before.length ? run.events[before[before.length - 1]] : null;
            beside.push(...section(process, last ? [last.state || '(no state shown)'] : ['(has not begun)'],
              p === event.process));
          });
          const under = run.messages.filter(message => message.sentBy <= current
            && (message.receivedBy === null || message.receivedBy > current));
          beside.push(...section(`on their way: ${under.length}`, under.slice(0, 40).map(message =>
            `${name(message.from)} → ${name(message.to)}  ${message.label}`
            + (message.receivedBy === null ? '  (does not arrive in this run)' : ''))));
          beside.push(...section('vector timestamp', [event.clock.map((count, p) =>
            `${name(p)} ${count}`).join('  ')]));
          run.cuts.filter(cut => cutPlace(cut) <= current).forEach(cut => beside.push(...section(
            `cut ${cut.name}: ${cut.isConsistent ? 'consistent' : 'NOT consistent'}`, [cut.note])));
          if (current === run.events.length - 1) beside.push(...section('in the end', run.summary));
          $('beside').replaceChildren(...beside);
        }

        function go(index, follows = true) {
          current = Math.max(0, Math.min(run.events.length - 1, index));
          $('scrub').value = current;
          const box = $('diagram');
          const place = x(current) - box.scrollLeft;
          if (follows && (place < LEFT + 40 || place > box.clientWidth - 60)) {
            box.scrollLeft = x(current) - box.clientWidth / 2;
          }
          draw();
          tell();
        }

        function play(on) {
          if (timer) clearInterval(timer);
          timer = on ? setInterval(() => {
            if (current + 1 >= run.events.length) return play(false);
            go(current + 1);
          }, 420) : null;
          $('play').textContent = on ? 'stop' : 'play';
          $('play').setAttribute('aria-label', on ? 'Stop' : 'Play');
        }

        function legend() {
          const items = [
            ['<circle class="event" cx="9" cy="8" r="5"/>', 'a step'],
            ['<circle class="event milestone" cx="9" cy="8" r="6"/>', 'what the run is about'],
            ['<circle class="event crash" cx="9" cy="8" r="6"/>', 'a crash'],
            ['<circle class="event past" cx="9" cy="8" r="5"/>', 'happened before the current event'],
            ['<circle class="event future" cx="9" cy="8" r="5"/>', 'happens after it'],
            ['<line class="message application" x1="1" x2="17" y1="8" y2="8"/>', 'a message of the application'],
            ['<line class="message marker" x1="1" x2="17" y1="8" y2="8"/>', 'a marker'],
            ['<line class="message control" x1="1" x2="17" y1="8" y2="8"/>', 'a message of the protocol'],
            ['<polyline class="cut" points="9,1 9,15"/>', 'a cut'],
          ];
          $('legend').innerHTML = items.map(([picture, words]) =>
            `<span><svg width="18" height="16">${picture}</svg>${words}</span>`).join('')
            + '<span>← → one event · Home End · space plays · click an event</span>';
        }

        $('scrub').max = run.events.length - 1;
        $('scrub').addEventListener('input', event => go(+event.target.value));
        $('zoom').addEventListener('input', event => { column = +event.target.value; go(current); });
        $('kinds').addEventListener('change', draw);
        $('first').addEventListener('click', () => go(0));
        $('back').addEventListener('click', () => go(current - 1));
        $('forward').addEventListener('click', () => go(current + 1));
        $('last').addEventListener('click', () => go(run.events.length - 1));
        $('play').addEventListener('click', () => play(!timer));
        $('diagram').addEventListener('scroll', () => requestAnimationFrame(draw));
        window.addEventListener('resize', draw);
        document.addEventListener('keydown', event => {
          if (event.target.tagName === 'SELECT' || event.target.id === 'zoom') return;
          const moves = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: run.events.length - 1,
            PageDown: current + 20, PageUp: current - 20 };
          if (event.key in moves) { event.preventDefault(); go(moves[event.key]); }
          else if (event.key === ' ' && event.target.tagName !== 'BUTTON') { event.preventDefault(); play(!timer); }
        });
        legend();
        const asked = +(new URLSearchParams(location.search).get('event') || location.hash.slice(1));
        go(asked > 0 ? asked - 1 : 0);
        """#
}
