/// What moves the page, and what it says beside the diagram.
enum PageScript {
    static let text = #"""
        function section(title, lines, kind) {
          const head = document.createElement('h2');
          head.textContent = title;
          const body = document.createElement('pre');
          body.textContent = lines.join('\n') || '(nothing)';
          if (kind) body.className = kind;
          return [head, body];
        }

        function folded(title, lines, kind) {
          if (lines.length <= 6) return section(title, lines, kind);
          const box = document.createElement('details'), summary = document.createElement('summary');
          summary.textContent = `${title}: ${lines.length} lines`;
          box.append(summary, section('', lines, kind)[1]);
          return [box];
        }

        const messages = numbers => numbers.map(number => run.messages[number]).map(message =>
          `${name(message.from)} → ${name(message.to)}  ${message.label}`);

        function tell() {
          const event = run.events[current];
          $('sentence').textContent = event.sentence;
          $('sentence').className = event.kind;
          $('place').textContent = `event ${current + 1} of ${run.events.length}`;
          const beside = [];
          if (current === length() - 1) {
            beside.push(...folded('in the end', run.summary, run.isKept === false ? 'wrong' : 'here'));
          }
          if (event.outlook) beside.push(...section('the decision', [outlooks[event.outlook]], event.outlook));
          event.details.forEach(detail => beside.push(...folded(detail.title, detail.lines)));
          run.processes.forEach((process, p) => {
            const before = own[p].filter(index => index <= current);
            const last = before.length ? run.events[before[before.length - 1]] : null;
            beside.push(...section(process, last ? [last.state || '(no state shown)'] : ['(has not begun)'],
              p === event.process ? 'here' : ''));
          });
          const under = run.messages.filter(message => message.sentBy <= current
            && (message.receivedBy === null || message.receivedBy > current));
          beside.push(...section(`on their way: ${under.length}`, under.slice(0, 40).map(message =>
            `${name(message.from)} → ${name(message.to)}  ${message.label}`
            + (message.receivedBy === null ? '  (does not arrive in this run)' : ''))));
          beside.push(...section('vector timestamp', [event.clock.map((count, p) =>
            `${name(p)} ${count}`).join('  ')]));
          run.cuts.filter(isMade).forEach(cut => {
            beside.push(...section(`cut ${cut.name}: ${cut.isConsistent ? 'consistent' : 'NOT consistent'}`, [cut.note],
              cut.isConsistent ? '' : 'wrong'));
            if (cut.underWay.length) beside.push(...folded('on their way across the cut', messages(cut.underWay)));
            if (cut.uncaused.length) {
              beside.push(...folded('received before the cut, sent after it', messages(cut.uncaused), 'wrong'));
            }
          });
          $('beside').replaceChildren(...beside);
        }

        function follow() {
          const box = $('diagram'), place = x(current) - box.scrollLeft;
          if (place < LEFT + 40 || place > box.clientWidth - 60) box.scrollLeft = x(current) - box.clientWidth / 2;
          const row = y(run.events[current].process) - box.scrollTop;
          if (row < TOP + 20 || row > box.clientHeight - 40) {
            box.scrollTop = y(run.events[current].process) - box.clientHeight / 2;
          }
        }

        function go(index) {
          if (index >= length() && index < run.events.length) isFolded = false;
          current = Math.max(0, Math.min(length() - 1, index));
          $('scrub').max = length() - 1;
          $('scrub').value = current;
          $('more').hidden = !isLong;
          $('more').textContent = isFolded ? `… ${run.events.length - length()} more` : 'fold the end';
          // There is nothing to scroll before the diagram is there.
          draw();
          follow();
          draw();
          tell();
        }

        function play(on) {
          if (timer) clearInterval(timer);
          timer = on ? setInterval(() => {
            if (current + 1 >= length()) return play(false);
            go(current + 1);
          }, 420) : null;
          $('play').textContent = on ? 'stop' : 'play';
          $('play').setAttribute('aria-label', on ? 'Stop' : 'Play');
        }

        function legend() {
          const has = kind => run.events.some(event => event.kind === kind);
          const sends = kind => run.messages.some(message => message.kind === kind);
          const isWrong = run.cuts.some(cut => !cut.isConsistent);
          const isSettled = run.events.some(event => event.outlook);
          const dot = kind => `<circle class="event ${kind}" cx="9" cy="8" r="6"/>`;
          const line = kind => `<line class="message ${kind}" x1="1" x2="17" y1="8" y2="8"/>`;
          const items = [
            [!isSettled, dot('step'), 'a step'],
            [isSettled, dot('open'), outlooks.open], [isSettled, dot('zero'), outlooks.zero],
            [isSettled, dot('one'), outlooks.one],
            [has('milestone') && !isSettled, dot('milestone'), 'what the run is about'],
            [has('violation'), dot('violation'), 'a promise is broken'],
            [has('crash'), dot('crash'), 'a crash'],
            [true, dot('past'), 'happened before the current event'], [true, dot('future'), 'happens after it'],
            [sends('application'), line('application'), 'a message of the application'],
            [sends('marker'), line('marker'), 'a marker'],
            [sends('control'), line('control'), 'a message of the protocol'],
            [run.cuts.length > 0, '<polyline class="cut" points="9,1 9,15"/>', 'a cut'],
            [isWrong, '<polyline class="cut wrong" points="9,1 9,15"/>', 'a cut that is not consistent'],
            [run.cuts.length > 0, line('application crossing'), 'on its way across the cut'],
            [isWrong, line('application uncaused'), 'received before the cut, sent after it'],
          ];
          $('legend').innerHTML = items.filter(item => item[0]).map(([_, picture, words]) =>
            `<span><svg width="18" height="16">${picture}</svg>${words}</span>`).join('')
            + '<span>← → one event · Home End · space plays · click an event</span>';
          $('legendbox').open = innerWidth > 760 && innerHeight > 560;
        }

        $('scrub').addEventListener('input', event => go(+event.target.value));
        $('zoom').addEventListener('input', event => { column = +event.target.value; go(current); });
        $('kinds').addEventListener('change', draw);
        $('first').addEventListener('click', () => go(0));
        $('back').addEventListener('click', () => go(current - 1));
        $('forward').addEventListener('click', () => go(Math.min(current + 1, length() - 1)));
        $('last').addEventListener('click', () => go(length() - 1));
        $('more').addEventListener('click', () => { isFolded = !isFolded; go(current); });
        $('play').addEventListener('click', () => play(!timer));
        $('diagram').addEventListener('scroll', () => requestAnimationFrame(draw));
        window.addEventListener('resize', () => go(current));
        document.addEventListener('keydown', event => {
          if (event.target.tagName === 'SELECT' || event.target.id === 'zoom') return;
          const moves = { ArrowRight: Math.min(current + 1, length() - 1), ArrowLeft: current - 1, Home: 0,
            End: length() - 1, PageDown: Math.min(current + 20, length() - 1), PageUp: current - 20 };
          if (event.key in moves) { event.preventDefault(); go(moves[event.key]); }
          else if (event.key === ' ' && !['BUTTON', 'SUMMARY'].includes(event.target.tagName)) {
            event.preventDefault();
            play(!timer);
          }
        });
        legend();
        const asked = +(new URLSearchParams(location.search).get('event') || location.hash.slice(1));
        go(asked > 0 ? Math.min(asked, run.events.length) - 1 : 0);
        """#
}
