import TextForms

extension SpaceTimeRun {
    /// The diagram as one page that needs nothing else: it scrubs through the run, shows what each process knows, and
    /// marks the past and the future of an event.
    public var page: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
        script-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>\(XMLText.escaped(title))</title>
        <style>
        \(PageStyle.text)
        </style>
        </head>
        <body>
        <header>
        <h1>\(XMLText.escaped(title))\(verdict)</h1>
        \(command.map { "<p id=\"command\"><code>\(XMLText.escaped($0))</code></p>" } ?? "")
        <div class="controls" role="toolbar" aria-label="Moving through the run">
        <button id="first" title="To the beginning (Home)" aria-label="To the beginning">⇤</button>
        <button id="back" title="One event back (←)" aria-label="One event back">←</button>
        <button id="play" title="Play (space)" aria-label="Play">play</button>
        <button id="forward" title="One event on (→)" aria-label="One event on">→</button>
        <button id="last" title="To the end (End)" aria-label="To the end">⇥</button>
        <input id="scrub" type="range" min="0" value="0" aria-label="The current event">
        <button id="more" hidden></button>
        <output id="place" for="scrub"></output>
        <label>zoom <input id="zoom" type="range" min="10" max="60" value="26" aria-label="Zoom"></label>
        <label>show <select id="kinds" aria-label="Which messages are shown"><option value="all">all messages</option>\
        <option value="application">of the application</option><option value="marker">markers</option>\
        <option value="control">of the protocol</option></select></label>
        </div>
        <p id="sentence" role="status" aria-live="polite"></p>
        </header>
        <main>
        <div id="diagram" tabindex="0" aria-label="Space-time diagram: a line for each process, time to the right"></div>
        <aside id="beside" aria-label="What is known at the current event"></aside>
        </main>
        <footer><details id="legendbox"><summary>what is what</summary><div id="legend"></div></details></footer>
        <script type="application/json" id="run">\(json)</script>
        <script>
        \(PageDrawing.text)
        \(PageScript.text)
        </script>
        </body>
        </html>

        """
    }

    private var verdict: String {
        switch isKept {
        case true?: " <span class=\"verdict\">promise kept</span>"
        case false?: " <span class=\"verdict wrong\">promise broken</span>"
        case nil: ""
        }
    }
}
