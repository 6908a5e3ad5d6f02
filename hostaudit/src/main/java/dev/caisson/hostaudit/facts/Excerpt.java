package dev.caisson.hostaudit.facts;

import java.util.List;
import java.util.stream.Collectors;

/// Bounds what a report shows of names, commands and paths: they may come from anybody, and stand in every finding
/// about their subject.
public final class Excerpt {
    private static final int SHOWN = 12;
    private static final int LONGEST_ITEM = 200;
    private static final int LONGEST_TEXT = 4000;

    private Excerpt() {}

    /// The first of many, and how many more there are.
    public static String list(List<String> items) {
        String shown =
                items.stream().limit(SHOWN).map(item -> of(item, LONGEST_ITEM)).collect(Collectors.joining(", "));
        return items.size() > SHOWN ? shown + " and " + (items.size() - SHOWN) + " more" : shown;
    }

    /// A text of bounded length.
    public static String of(String text) {
        return of(text, LONGEST_TEXT);
    }

    public static String of(String text, int longest) {
        if (text.length() <= longest) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest;
        return text.substring(0, end) + "… (" + text.length() + " characters)";
    }
}
