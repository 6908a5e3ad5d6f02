package dev.caisson.cli.text;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// The value of Docker's `--filter name=`: a regular expression, which need not match all of a name.
public final class NamePattern {
    private NamePattern() {}

    /// Returns a condition for names; a malformed expression is found as it stands.
    public static Predicate<String> of(String value) {
        try {
            Pattern pattern = Pattern.compile(value);
            return name -> pattern.matcher(name).find();
        } catch (PatternSyntaxException e) {
            return name -> name.contains(value);
        }
    }
}
