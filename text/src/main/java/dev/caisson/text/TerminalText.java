package dev.caisson.text;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Decides what text of a container, an image or a file may do to the terminal of the person who reads it: it shows
/// characters, and nothing else. It cannot move the cursor, turn the order of what is read (CVE-2021-42574), hide, or
/// pass for a line of ours.
public final class TerminalText {
    private static final char REPLACEMENT = '\uFFFD';
    private static final String RESET = "\u001b[0m";
    /// Select Graphic Rendition (ECMA-48, 8.3.117).
    private static final String COLOUR = "\u001b\\[[0-9;:]{0,32}m";
    /// The choices of a colour sequence that are let through: bold, underline, and colours of characters that are seen
    /// on black and on white. Hidden, reversed and background colours are not among them.
    private static final Pattern ALLOWED_COLOUR = Pattern.compile("(?:0?[0124]|2[24]|3[1-69]|9[1-6])?");

    private static final Pattern SPECIAL = Pattern.compile(COLOUR + "|\\r+(?=\\n|\\z)|(?s:.)");
    /// The name that our own lines begin with, whatever colours stand between its letters.
    private static final Pattern OWN_NAME = Pattern.compile(
            "caisson:"
                    .chars()
                    .mapToObj(c -> Pattern.quote(Character.toString(c)))
                    .collect(Collectors.joining("(?:" + COLOUR + ")*")),
            Pattern.CASE_INSENSITIVE);

    private TerminalText() {}

    /// Returns whether a character must not reach a terminal: controls (C0, C1), format characters such as U+202E, line
    /// separators, halves of surrogate pairs, and characters that show nothing.
    public static boolean isUnfit(int character) {
        return Character.isISOControl(character)
                || isInvisible(character)
                || switch (Character.getType(character)) {
                    case Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE -> true;
                    default -> false;
                };
    }

    /// Letters and marks that Unicode wants to be ignored where they cannot be shown
    /// (Default_Ignorable_Code_Point); those that choose the shape of an emoji are let pass.
    private static boolean isInvisible(int c) {
        return c == 0x034F
                || c == 0x115F
                || c == 0x1160
                || c == 0x17B4
                || c == 0x17B5
                || (c >= 0x180B && c <= 0x180F)
                || c == 0x2800
                || c == 0x3164
                || c == 0xFFA0
                || (c >= 0xE0000 && c <= 0xE0FFF);
    }

    /// Returns the text as a part of one line: a space for tabs and line ends, and U+FFFD for every other unfit
    /// character.
    public static String line(String text) {
        var line = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (c == '\n' || c == '\t' || c == '\r') {
                line.append(' ');
            } else {
                line.appendCodePoint(isUnfit(c) ? REPLACEMENT : c);
            }
        });
        return line.toString();
    }

    /// Returns lines that a program wrote: tabs, line ends and some colours stay, which end with the text at
    /// the latest. The name that begins our own lines gets a backslash.
    public static String output(String text) {
        var out = new StringBuilder(text.length());
        boolean coloured = false;
        Matcher part = SPECIAL.matcher(text);
        while (part.find()) {
            String found = part.group();
            int c = found.codePointAt(0);
            if (found.length() > 2 && c == '\u001b') {
                String colour = allowed(found);
                coloured |= !colour.isEmpty();
                out.append(colour);
            } else if (c == '\r' && part.end() < text.length()) {
                boolean endsLine = text.charAt(part.end()) == '\n';
                out.append(endsLine ? "" : Character.toString(REPLACEMENT));
            } else if (c == '\n') {
                out.append(coloured ? RESET : "").append('\n');
                coloured = false;
            } else if (c == '\t' || c == '\r') {
                out.append(c == '\t' ? "\t" : "");
            } else {
                out.appendCodePoint(isUnfit(c) ? REPLACEMENT : c);
            }
        }
        String shown = out.append(coloured ? RESET : "").toString();
        return OWN_NAME.matcher(shown).replaceAll(own -> Matcher.quoteReplacement("\\" + own.group()));
    }

    private static String allowed(String colour) {
        for (String parameter : colour.substring(2, colour.length() - 1).split(";", -1)) {
            if (!ALLOWED_COLOUR.matcher(parameter).matches()) {
                return "";
            }
        }
        return colour;
    }

    /// Returns the JSON text with unfit characters in its strings escaped; it stays the same document.
    public static String json(String json) {
        if (json.codePoints().noneMatch(c -> c > '~' && isUnfit(c))) {
            return json;
        }
        var out = new StringBuilder(json.length() + 64);
        json.codePoints().forEach(c -> {
            if (c > '~' && isUnfit(c)) {
                for (char unit : Character.toChars(c)) {
                    out.append(String.format(Locale.ROOT, "\\u%04x", (int) unit));
                }
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }
}
