/// What draws the diagram of the page. Only what can be seen is drawn, so that long runs stay quick.
enum PageDrawing {
    static let text = #"""
        'use strict';
        const run = JSON.parse(document.getElementById('run').textContent);
        const $ = id => document.getElementById(id);
        const LEFT = 96, TOP = 30;
        let column = 26, lane = 74, current = 0, timer = null, isFolded = true;

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
        const outlooks = { open: 'open: either can still be decided', zero: 'settled on 0', one: 'settled on 1' };

        // What comes after all that the run is about is folded away when it is long.
        const told = run.events.reduce((last, event, index) => event.kind === 'step' ? last : index, 0);
        const isLong = told > 0 && run.events.length - told > 12;
        const length = () => isLong && isFolded ? told + 3 : run.events.length;

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

        // A process's part of a cut is made by its last event before it, the whole by the last of them.
        const madeAt = (cut, p) => cut.events[p] > 0 ? own[p][cut.events[p] - 1] : 0;
        const isMade = cut => run.processes.every((_, p) => madeAt(cut, p) <= current);

        function draw() {
          const box = $('diagram');
          const room = (box.clientHeight - TOP - 90) / Math.max(1, run.processes.length - 1);
          lane = Math.max(50, Math.min(140, room));
          const width = x(length()) + 60, height = y(run.processes.length - 1) + 56;
          const from = Math.floor((box.scrollLeft - LEFT) / column) - 3;
          const to = Math.min(length() - 1, Math.ceil((box.scrollLeft + box.clientWidth - LEFT) / column) + 3);
          const svg = element('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
          const kinds = $('kinds').value;
          run.processes.forEach((process, p) => {
            svg.append(element('line', { class: 'lane', x1: LEFT, x2: width - 12, y1: y(p), y2: y(p) }));
          });
          svg.append(element('line', { class: 'now', x1: x(current), x2: x(current), y1: TOP, y2: height - 20 }));
          const cuts = run.cuts.filter(isMade);
          const crossing = new Map();
          cuts.forEach(cut => {
            cut.underWay.forEach(number => crossing.set(number, ' crossing'));
            cut.uncaused.forEach(number => crossing.set(number, ' uncaused'));
          });
          const near = [];
          run.messages.forEach((message, number) => {
            if (kinds !== 'all' && message.kind !== kinds) return;
            const end = message.receivedBy === null ? message.sentBy : message.receivedBy;
            if (end < from || message.sentBy > to) return;
            svg.append(messagePicture(message, crossing.get(number) || '', near));
          });
          run.cuts.forEach(cut => svg.append(cutPicture(cut, height)));
          for (let index = Math.max(0, from); index <= to; index++) svg.append(eventPicture(index));
          placeLabels(near, width, height).forEach(label => svg.append(label));
          if (svg.querySelectorAll('.message').length > 120) svg.classList.add('crowded');
          // Names stay where they are while the diagram moves.
          const left = box.scrollLeft;
          svg.append(element('rect', { x: left, y: 0, width: LEFT - 14, height, fill: 'var(--back)' }));
          run.processes.forEach((process, p) => {
            svg.append(element('text', { x: left + 14, y: y(p) + 5, class: p === run.events[current].process ? 'here' : '' },
              process));
          });
          box.replaceChildren(svg);
        }

        function cutPicture(cut, height) {
          const group = element('g', {}), last = run.processes.length - 1;
          const kind = 'cut' + (cut.isConsistent ? '' : ' wrong');
          let points = [];
          const finish = () => {
            if (points.length > 1) group.append(element('polyline', { class: kind, points: points.join(' ') }));
            points = [];
          };
          run.processes.forEach((_, p) => {
            if (madeAt(cut, p) > current) return finish();
            const at = cutX(cut, p);
            points.push(`${at},${p === 0 ? TOP : y(p) - 14}`, `${at},${p === last ? height - 26 : y(p) + 14}`);
          });
          finish();
          if (isMade(cut)) {
            group.append(element('text', { class: 'cutname' + (cut.isConsistent ? '' : ' wrong'), x: cutX(cut, 0) + 5, y: TOP - 4 },
              cut.name + (cut.isConsistent ? '' : ' (NOT consistent)')));
          }
          return group;
        }

        function messagePicture(message, crossing, near) {
          const isNear = message.sentBy === current || message.receivedBy === current;
          const later = message.sentBy > current ? ' later' : isNear ? ' near' : '';
          const kind = `message ${message.kind}${message.receivedBy === null ? ' lost' : ''}${later}${crossing}`;
          const x1 = x(message.sentBy), y1 = y(message.from);
          let line, head;
          if (message.receivedBy === null) {
            const down = message.to > message.from ? 1 : -1;
            head = [x1 + 20, y1 + 20 * down];
            line = element('line', { class: kind, x1, y1, x2: head[0], y2: head[1] });
          } else {
            // Until it is received, a message is as far as time has come.
            const end = x(message.receivedBy), y2 = y(message.to);
            const part = message.receivedBy <= current || message.sentBy > current ? 1
              : Math.max(Math.min(.08, 20 / (end - x1)), (x(current) - x1) / (end - x1));
            head = [x1 + (end - x1) * part, y1 + (y2 - y1) * part];
            if (message.from === message.to) {
              line = element('path', { class: kind, d: `M${x1} ${y1} Q${(x1 + end) / 2} ${y1 - 32} ${end} ${y2}` });
            } else {
              line = element('line', { class: kind, x1, y1, x2: head[0], y2: head[1] });
            }
          }
          line.append(element('title', {}, `${message.label} from ${name(message.from)} to ${name(message.to)}`));
          if (isNear) near.push({ text: message.label, x: head[0] + 8, y: (y1 + 3 * head[1]) / 4 });
          return line;
        }

        // Beside the heads of their messages, and moved until none covers another. What finds no room is said at the side.
        function placeLabels(labels, width, height) {
          const placed = [], made = [];
          labels.sort((a, b) => a.y - b.y).forEach(label => {
            const wide = label.text.length * 7 + 6;
            const left = Math.max(LEFT, Math.min(label.x, width - wide));
            for (const shift of [0, 15, -15, 30, -30, 45, -45, 60, -60]) {
              const top = label.y + shift;
              const isFree = top > TOP && top < height - 10 && placed.every(other =>
                Math.abs(other.y - top) >= 15 || other.x + other.wide < left || left + wide < other.x);
              if (!isFree) continue;
              placed.push({ x: left, y: top, wide });
              made.push(element('text', { class: 'label', x: left, y: top }, label.text));
              return;
            }
          });
          return made;
        }

        function eventPicture(index) {
          const event = run.events[index];
          let kind = `event ${event.kind} ${event.outlook || ''}`;
          if (index === current) kind += ' current';
          else if (isBefore(index, current)) kind += ' past';
          else if (isBefore(current, index)) kind += ' future';
          if (index > current && !isBefore(current, index)) kind += ' later';
          const group = element('g', {}), cx = x(index), cy = y(event.process);
          group.append(element('circle', { class: kind, cx, cy, r: event.kind === 'step' ? 6 : 8 }));
          // What a finger hits is larger than what is seen.
          const target = element('circle', { class: 'target', cx, cy, r: 12 });
          target.append(element('title', {}, `${index + 1}. ${event.sentence}`));
          target.addEventListener('click', () => go(index));
          group.append(target);
          return group;
        }
        """#
}
