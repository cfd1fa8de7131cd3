/// The page's style. Red is what is wrong, and nothing else; cuts and markers have colours of their own.
enum PageStyle {
    static let text = """
        :root { color-scheme: light dark; --back: #fbfcfd; --text: #24303c; --quiet: #5c6873; --line: #c9d3dc;
          --event: #4a7fb5; --milestone: #2e8b57; --crash: #24303c; --wrong: #d11a2a; --marker: #c65f14;
          --control: #7d8b99; --application: #3f76b0; --past: #e6a817; --future: #c2559d; --panel: #f1f4f7;
          --cut: #0b7a75; --open: #8e6bbf; --zero: #2f6db5; --one: #c98a00 }
        @media (prefers-color-scheme: dark) { :root { --back: #12181f; --text: #dbe4ec; --quiet: #93a3b3; --line: #33404d;
          --event: #6fa8dc; --milestone: #5bbf8a; --crash: #dbe4ec; --wrong: #ff6b6b; --marker: #e9965a;
          --control: #8896a4; --application: #6fa8dc; --past: #f0c14b; --future: #e58fc4; --panel: #1a222b;
          --cut: #35b5ae; --open: #b79ce0; --zero: #6fa8dc; --one: #f0c14b } }
        * { box-sizing: border-box }
        html, body { height: 100%; margin: 0 }
        body { display: flex; flex-direction: column; background: var(--back); color: var(--text);
          font: 14px/1.45 system-ui, sans-serif }
        header { padding: 12px 18px 8px; border-bottom: 1px solid var(--line) }
        h1 { font-size: 17px; margin: 0 0 4px }
        .verdict { font-size: 12.5px; font-weight: 600; color: var(--milestone); margin-left: 8px }
        #command { margin: 0 0 8px; color: var(--quiet); overflow-wrap: anywhere }
        code { font: 12.5px ui-monospace, monospace }
        .controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; color: var(--quiet) }
        button, select { font: inherit; min-width: 36px; min-height: 32px; padding: 3px 8px; border: 1px solid var(--line);
          border-radius: 6px; background: var(--panel); color: var(--text) }
        button { cursor: pointer } button[hidden] { display: none }
        input[type=range] { height: 28px } summary { min-height: 24px; cursor: pointer }
        #scrub { flex: 1 1 220px; accent-color: var(--event) }
        #zoom { width: 90px; vertical-align: middle }
        #place { min-width: 92px; text-align: right; font-variant-numeric: tabular-nums }
        #sentence { margin: 10px 0 2px; font-size: 16px; min-height: 1.5em }
        main { flex: 1; display: flex; min-height: 0 }
        #diagram { flex: 1; min-width: 0; overflow: auto; position: relative; outline-offset: -2px }
        #diagram svg { display: block }
        aside { width: 320px; overflow: auto; padding: 12px 16px; border-left: 1px solid var(--line);
          background: var(--panel) }
        aside h2, aside summary { font-size: 13px; margin: 14px 0 4px; color: var(--quiet); font-weight: 600 }
        aside h2:first-child { margin-top: 0 }
        aside pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12.5px/1.45 ui-monospace, monospace }
        .here { font-weight: 600 } .wrong, #sentence.violation { color: var(--wrong); font-weight: 600 }
        pre.zero { color: var(--zero) } pre.one { color: var(--one) } pre.open { color: var(--open) }
        footer { padding: 4px 18px; border-top: 1px solid var(--line); color: var(--quiet); font-size: 12.5px }
        #legend { display: flex; flex-wrap: wrap; gap: 6px 18px }
        footer svg { vertical-align: middle; margin-right: 5px }
        svg text { font: 13px system-ui, sans-serif; fill: var(--text) } svg text.here { font-weight: 700 }
        .lane { stroke: var(--line); stroke-width: 1.5 }
        .message { fill: none; stroke-width: 1.5; stroke: var(--application) }
        .message.marker { stroke: var(--marker); stroke-dasharray: 6 4 }
        .message.control { stroke: var(--control) }
        .message.near { stroke-width: 3 } .crowded .message:not(.near) { opacity: .16 }
        .message.lost { stroke-dasharray: 2 3 }
        .message.crossing { stroke: var(--cut); stroke-width: 3; opacity: 1 }
        .message.uncaused { stroke: var(--wrong); stroke-width: 3; opacity: 1 }
        .event { fill: var(--event); stroke: var(--back); stroke-width: 2 }
        .event.milestone { fill: var(--milestone) } .event.crash { fill: var(--crash) }
        .event.open { fill: var(--open) } .event.zero { fill: var(--zero) } .event.one { fill: var(--one) }
        .event.violation { fill: var(--wrong) }
        .event.past { stroke: var(--past); stroke-width: 3 } .event.future { stroke: var(--future); stroke-width: 3 }
        .event.current { stroke: var(--text); stroke-width: 3 }
        .target { fill: transparent; cursor: pointer }
        .later { opacity: .22 }
        .cut { fill: none; stroke: var(--cut); stroke-width: 3; opacity: .85 }
        .cut.wrong { stroke: var(--wrong); stroke-dasharray: 3 3 }
        svg text.cutname { fill: var(--cut); font-size: 12px }
        svg text.cutname.wrong { fill: var(--wrong) }
        svg text.label { font-size: 12px; paint-order: stroke; stroke: var(--back); stroke-width: 4px }
        .now { stroke: var(--quiet); stroke-dasharray: 2 4; opacity: .6 }
        @media (max-width: 760px) { main { flex-direction: column } aside { width: auto; height: 34%; flex: none;
          border-left: 0; border-top: 1px solid var(--line) } header { padding: 8px 12px 4px } #sentence { font-size: 14px;
          margin: 6px 0 0 } h1 { font-size: 15px } .controls { gap: 6px } .controls label { display: none } }
        @media (max-height: 480px) { main { flex-direction: row } aside { width: 36%; max-width: 300px; height: auto;
          border-top: 0; border-left: 1px solid var(--line) } h1, #command { display: inline; margin-right: 10px }
          header { padding: 4px 12px } #sentence { font-size: 13px; margin: 2px 0 0 } footer { padding: 0 12px }
          .controls { margin-top: 2px } .controls label { display: none } }
        """
}
