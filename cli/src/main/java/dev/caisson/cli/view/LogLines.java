package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.text.JsonText;
import dev.caisson.state.LogEntry;
import dev.caisson.text.TerminalText;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;

/// Prints what a container wrote, to the stream that it was written to and in the order in which it came. Who reads a
/// log did not always start the container: a terminal gets [TerminalText] alone.
final class LogLines {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean outIsTerminal = isTerminal(1);
    private final boolean errIsTerminal = isTerminal(2);
    private LogEntry.Stream last = LogEntry.Stream.STDOUT;
    private boolean inLine;

    LogLines(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    private static boolean isTerminal(int number) {
        return dev.caisson.linux.Terminal.isTerminal(Caller.current().descriptor(number));
    }

    void text(LogEntry entry, String before) {
        if (entry.stream() != last) {
            flush();
            last = entry.stream();
        }
        boolean onTerminal = entry.stream() == LogEntry.Stream.STDOUT ? outIsTerminal : errIsTerminal;
        inLine = onTerminal && !entry.text().endsWith("\n");
        switch (entry.stream()) {
            case STDOUT -> out.print(before + (outIsTerminal ? TerminalText.output(entry.text()) : entry.text()));
            case STDERR -> err.print(before + (errIsTerminal ? TerminalText.output(entry.text()) : entry.text()));
        }
    }

    /// Prints an entry in the form of Docker's files.
    void json(LogEntry entry, String time) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("log", entry.text());
        fields.put("stream", entry.stream().name().toLowerCase(Locale.ROOT));
        fields.put("time", time);
        out.println(JsonText.of(fields));
    }

    /// Ends a line of the container's that has not ended, so that ours begins one.
    void endLine() {
        if (inLine) {
            inLine = false;
            flush();
            err.println();
        }
    }

    /// Brings out what was printed.
    /// @return whether somebody reads it
    boolean flush() {
        err.flush();
        return !out.checkError();
    }
}
