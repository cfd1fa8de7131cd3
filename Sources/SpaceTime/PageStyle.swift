/// The page's style.
enum PageStyle {
    static let text = """
        :root { color-scheme: light dark; --back: #fbfcfd; --text: #24303c; --quiet: #66727e; --line: #c9d3dc;
          --event: #4a7fb5; --milestone: #2e8b57; --crash: #c0392b; --marker: #d2691e; --control: #7d8b99;
          --application: #3f76b0; --past: #e6a817; --future: #8e6bbf; --panel: #f1f4f7 }
        @media (prefers-color-scheme: dark) { :root { --back: #12181f; --text: #dbe4ec; --quiet: #8fa0b0; --line: #33404d;
          --event: #6fa8dc; --milestone: #5bbf8a; --crash: #e57368; --marker: #e9965a; --control: #8896a4;
          --application: #6fa8dc; --past: #f0c14b; --future: #b79ce0; --panel: #1a222b } }
        * { box-sizing: border-box }
        html, body { height: 100%; margin: 0 }
        body { display: flex; flex-direction: column; background: var(--back); color: var(--text);
          font: 14px/1.45 system-ui, sans-serif }
        header { padding: 12px 18px 8px; border-bottom: 1px solid var(--line) }
        h1 { font-size: 17px; margin: 0 0 8px }
        .controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; color: var(--quiet) }
        button { font: inherit; min-width: 34px; padding: 3px 8px; border: 1px solid var(--line); border-radius: 6px;
          background: var(--panel); color: var(--text); cursor: pointer }
        select { font: inherit; background: var(--panel); color: var(--text); border: 1px solid var(--line);
          border-radius: 6px }
        #scrub { flex: 1 1 220px; accent-color: var(--event) }
        #zoom { width: 90px; vertical-align: middle }
        #place { min-width: 92px; text-align: right; font-variant-numeric: tabular-nums }
        #sentence { margin: 10px 0 2px; font-size: 16px; min-height: 1.5em }
        main { flex: 1; display: flex; min-height: 0 }
        #diagram { flex: 1; overflow: auto; position: relative; outline-offset: -2px }
        #diagram svg { display: block }
        aside { width: 320px; overflow: auto; padding: 12px 16px; border-left: 1px solid var(--line);
          background: var(--panel) }
        aside h2 { font-size: 13px; margin: 14px 0 4px; color: var(--quiet); font-weight: 600 }
        aside h2:first-child { margin-top: 0 }
        aside pre { margin: 0; white-space: pre-wrap; font: 12.5px/1.45 ui-monospace, monospace }
        aside .here { font-weight: 600 }
        footer { padding: 7px 18px; border-top: 1px solid var(--line); color: var(--quiet); display: flex;
          flex-wrap: wrap; gap: 6px 18px; font-size: 12.5px }
        footer svg { vertical-align: middle; margin-right: 5px }
        svg text { font: 13px system-ui, sans-serif; fill: var(--text) }
        .lane { stroke: var(--line); stroke-width: 1.5 }
        .message { fill: none; stroke-width: 1.5; stroke: var(--application) }
        .message.marker { stroke: var(--marker); stroke-dasharray: 6 4 }
        .message.control { stroke: var(--control) }
        .message.near { stroke-width: 3 } .crowded .message:not(.near) { opacity: .16 }
        .message.lost { stroke-dasharray: 2 3 }
        .event { fill: var(--event); stroke: var(--back); stroke-width: 2; cursor: pointer }
        .event.milestone { fill: var(--milestone) } .event.crash { fill: var(--crash) }
        .event.past { stroke: var(--past); stroke-width: 3 } .event.future { stroke: var(--future); stroke-width: 3 }
        .event.current { stroke: var(--text); stroke-width: 3 }
        .later { opacity: .22 }
        .cut { fill: none; stroke: var(--marker); stroke-width: 2.5; opacity: .8 }
        .cut.wrong { stroke: var(--crash); stroke-dasharray: 3 3 }
        text.cutname { fill: var(--marker); font-size: 12px } text.label { fill: var(--text); font-size: 12px;
          paint-order: stroke; stroke: var(--back); stroke-width: 4px }
        .now { stroke: var(--quiet); stroke-dasharray: 2 4; opacity: .6 }
        @media (max-width: 760px) { main { flex-direction: column } aside { width: auto; max-height: 38%;
          border-left: 0; border-top: 1px solid var(--line) } }
        """
}
