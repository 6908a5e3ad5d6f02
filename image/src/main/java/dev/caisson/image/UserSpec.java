package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.Optional;
import java.util.regex.Pattern;

/// Docker's `user[:group]`, parsed by an exact table (CVE-2026-30892): a run of digits is an id and never a name,
/// everything that begins otherwise than a name or a number is refused, and no empty part means "root".
///
/// @param group empty where the text had no colon
record UserSpec(Who user, Optional<Who> group) {
    private static final Pattern DIGITS = Pattern.compile("[0-9]+");
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.@-]{0,254}\\$?");

    /// One half: an id, or a name to look up.
    sealed interface Who {
        record Id(int id) implements Who {}

        record Name(String name) implements Who {}
    }

    static UserSpec parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            return new UserSpec(who(text, text, "user"), Optional.empty());
        }
        return new UserSpec(
                who(text, text.substring(0, colon), "user"),
                Optional.of(who(text, text.substring(colon + 1), "group")));
    }

    private static Who who(String text, String part, String kind) {
        if (part.isEmpty()) {
            throw new ImageException(
                    Code.BAD_USER,
                    Quoted.of(text) + " has an empty " + kind + "; write user, uid, user:group or uid:gid");
        }
        if (DIGITS.matcher(part).matches()) {
            return new Who.Id(id(part, kind));
        }
        if (!NAME.matcher(part).matches()) {
            throw new ImageException(
                    Code.BAD_USER,
                    Quoted.of(text) + " has a " + kind + " that is neither a name nor a plain decimal number");
        }
        return new Who.Name(part);
    }

    private static int id(String digits, String kind) {
        if (digits.length() > 1 && digits.charAt(0) == '0') {
            throw new ImageException(
                    Code.BAD_USER, kind + " id " + Quoted.of(digits) + " has leading zeros; write it without them");
        }
        if (digits.length() > 5 || Integer.parseInt(digits) > Account.LAST_ID) {
            throw new ImageException(
                    Code.ID_OUT_OF_RANGE,
                    kind + " id " + Quoted.of(digits) + " is above " + Account.LAST_ID
                            + ", the last that a container has; choose a smaller one");
        }
        return Integer.parseInt(digits);
    }
}
