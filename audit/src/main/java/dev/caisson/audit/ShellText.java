package dev.caisson.audit;

import java.util.regex.Pattern;

/// Names of files as they may be shown, put into a command line, or written into a patch. Whoever wrote the files chose
/// their names.
public final class ShellText {
    private static final Pattern BARE = Pattern.compile("[A-Za-z0-9_./:@%+,=-]+");

    private ShellText() {}

    /// A word that sh(1) takes for the name as it is, and no command for an option. What a terminal would obey is
    /// replaced.
    public static String path(String name) {
        String text = TextReport.printable(name.startsWith("-") ? "./" + name : name);
        return BARE.matcher(text).matches() ? text : "'" + text.replace("'", "'\\''") + "'";
    }

    /// True if a name can stand in a patch: one line, and all of it legible. A name whose bytes are no UTF-8 has lost
    /// some of them here and would mean another file.
    public static boolean isPlain(String name) {
        return name.codePoints()
                .noneMatch(c -> c == 0xFFFD
                        || Character.isISOControl(c)
                        || Character.getType(c) == Character.FORMAT
                        || Character.getType(c) == Character.LINE_SEPARATOR
                        || Character.getType(c) == Character.PARAGRAPH_SEPARATOR
                        || Character.getType(c) == Character.SURROGATE);
    }
}
