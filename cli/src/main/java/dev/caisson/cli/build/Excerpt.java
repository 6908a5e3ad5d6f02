package dev.caisson.cli.build;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import java.util.Locale;

/// The lines of a Dockerfile around a place, as they are shown with an error.
final class Excerpt {
    private static final int AROUND = 2;
    private static final int MOST = 12;
    private static final String RULE = "--------------------\n";

    private Excerpt() {}

    static String of(Place place) {
        Source source = place.source();
        int first = Math.max(1, place.line() - AROUND);
        int last = Math.min(source.lineCount(), Math.min(place.endLine() + AROUND, first + MOST - 1));
        var text = new StringBuilder(OneLine.of(place.file()) + ":" + place.line() + "\n" + RULE);
        for (int line = first; line <= last; line++) {
            boolean isMeant = line >= place.line() && line <= place.endLine();
            String content = source.lineText(line);
            text.append(String.format(
                            Locale.ROOT,
                            "%4d | %s %s%n",
                            line,
                            isMeant ? ">>>" : "   ",
                            content.isBlank() ? "" : OneLine.of(content))
                    .stripTrailing());
            text.append('\n');
        }
        return text.append(RULE).toString();
    }
}
