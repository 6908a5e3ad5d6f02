package dev.caisson.build;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// New permission bits of what is copied, as `--chmod` gives them: chmod(1)'s octal and symbolic modes.
///
/// @param text as it is written, without leading zeros of a number
/// @param actions carried out one after the other
record ModeChange(String text, List<Action> actions) {
    private static final int OCTAL = 8;
    private static final int ALL = 07777;
    private static final int READ = 0444;
    private static final int WRITE = 0222;
    private static final int EXECUTE = 0111;
    private static final int IDS = 06000;
    private static final int STICKY = 01000;
    private static final int LONGEST = 256;
    private static final Pattern CLAUSE = Pattern.compile("([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)");
    private static final Pattern ACTION = Pattern.compile("([-+=])([ugo]|[rwxXst]*)");

    /// One change.
    ///
    /// @param mask bits that it may change
    /// @param operator `+`, `-` or `=`
    /// @param permissions letters, or octal digits of a number
    record Action(int mask, char operator, String permissions) {
        private int apply(int before, boolean directory) {
            int bits = bits(before, directory) & mask;
            return switch (operator) {
                case '+' -> before | bits;
                case '-' -> before & ~bits;
                default -> (before & ~mask) | bits;
            };
        }

        private int bits(int before, boolean directory) {
            if (permissions.matches("[0-7]+")) {
                return Integer.parseInt(permissions, OCTAL);
            }
            int bits = 0;
            for (int i = 0; i < permissions.length(); i++) {
                bits |= switch (permissions.charAt(i)) {
                    case 'r' -> READ;
                    case 'w' -> WRITE;
                    case 'x' -> EXECUTE;
                    case 'X' -> directory || (before & EXECUTE) != 0 ? EXECUTE : 0;
                    case 's' -> IDS;
                    case 't' -> STICKY;
                    case 'u' -> (before >> 6 & 7) * EXECUTE;
                    case 'g' -> (before >> 3 & 7) * EXECUTE;
                    default -> (before & 7) * EXECUTE; // o
                };
            }
            return bits;
        }
    }

    ModeChange {
        actions = List.copyOf(actions);
    }

    /// Reads `0755` or `u=rwX,go-w`; empty for anything else. Without a letter for whom, a change is for all: there
    /// is no umask.
    static Optional<ModeChange> parse(String text) {
        if (text.matches("[0-7]{1,5}") && Integer.parseInt(text, OCTAL) <= ALL) {
            String plain = Integer.toOctalString(Integer.parseInt(text, OCTAL));
            return Optional.of(new ModeChange(plain, List.of(new Action(ALL, '=', plain))));
        }
        if (text.length() > LONGEST) {
            return Optional.empty();
        }
        var actions = new ArrayList<Action>();
        for (String part : text.split(",", -1)) {
            Matcher clause = CLAUSE.matcher(part);
            if (!clause.matches()) {
                return Optional.empty();
            }
            int mask = mask(clause.group(1));
            Matcher action = ACTION.matcher(clause.group(2));
            while (action.find()) {
                actions.add(new Action(mask, action.group(1).charAt(0), action.group(2)));
            }
        }
        return Optional.of(new ModeChange(text, actions));
    }

    private static int mask(String whom) {
        int mask = 0;
        for (int i = 0; i < whom.length(); i++) {
            mask |= switch (whom.charAt(i)) {
                case 'u' -> 04700;
                case 'g' -> 02070;
                case 'o' -> 01007;
                default -> ALL;
            };
        }
        return whom.isEmpty() ? ALL : mask;
    }

    /// Returns the bits that something gets, from 0 to 07777.
    int apply(int before, boolean directory) {
        int bits = before;
        for (Action action : actions) {
            bits = action.apply(bits, directory);
        }
        return bits;
    }
}
