package dev.caisson.cli;

import dev.caisson.engine.LogEntry;
import dev.caisson.linux.Fd;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Prints what a container wrote, to the stream that it was written to and in the order in which it came. Who reads a
/// log did not always start the container: on a terminal its control characters are not obeyed, but for colours.
final class LogLines {
    private static final Pattern CONTROL = Pattern.compile("\u001b\\[[0-9;:]{0,32}m|[\\p{Cc}\\p{Cf}&&[^\\n\\r\\t]]");

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean outIsTerminal = isTerminal(1);
    private final boolean errIsTerminal = isTerminal(2);
    private LogEntry.Stream last = LogEntry.Stream.STDOUT;

    LogLines(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    /// Never closed: they are the descriptors that this process was started with.
    private static boolean isTerminal(int number) {
        return dev.caisson.linux.Terminal.isTerminal(new Fd(number));
    }

    void text(LogEntry entry, String before) {
        if (entry.stream() != last) {
            flush();
            last = entry.stream();
        }
        switch (entry.stream()) {
            case STDOUT -> out.print(before + (outIsTerminal ? harmless(entry.text()) : entry.text()));
            case STDERR -> err.print(before + (errIsTerminal ? harmless(entry.text()) : entry.text()));
        }
    }

    /// As Docker's files have it.
    void json(LogEntry entry, String time) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("log", entry.text());
        fields.put("stream", entry.stream().name().toLowerCase(Locale.ROOT));
        fields.put("time", time);
        out.println(JsonText.of(fields));
    }

    /// Brings out what was printed.
    /// @return whether somebody reads it
    boolean flush() {
        err.flush();
        return !out.checkError();
    }

    static String harmless(String text) {
        return CONTROL.matcher(text)
                .replaceAll(
                        found -> found.group().endsWith("m") && found.group().length() > 1
                                ? Matcher.quoteReplacement(found.group())
                                : "\uFFFD");
    }
}
