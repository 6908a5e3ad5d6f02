package dev.caisson.image.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// One way in which a registry lets a client prove who it is, from a `WWW-Authenticate` header, RFC 9110, section 11.
///
/// @param scheme lower case, `bearer` or `basic` for those that are understood
/// @param parameters by their lower-case names
record Challenge(String scheme, Map<String, String> parameters) {
    private static final int LONGEST = 8192;
    private static final String TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~";

    Challenge {
        parameters = Map.copyOf(parameters);
    }

    Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    /// Returns the challenges of all headers in their order. What follows a part that breaks the grammar is left out.
    static List<Challenge> parse(List<String> headers) {
        var challenges = new ArrayList<Challenge>();
        for (String header : headers) {
            if (header.length() <= LONGEST) {
                new Reader(header).read(challenges);
            }
        }
        return challenges;
    }

    /// Reads one header. A challenge is a scheme, then parameters separated by commas; a comma also separates
    /// challenges, and only the `=` behind a word tells a parameter from the next scheme.
    private static final class Reader {
        private final String text;
        private int at;

        Reader(String text) {
            this.text = text;
        }

        void read(List<Challenge> challenges) {
            String word = nextWord();
            while (!word.isEmpty()) {
                String scheme = word.toLowerCase(Locale.ROOT);
                var parameters = new LinkedHashMap<String, String>();
                word = nextWord();
                while (!word.isEmpty() && take('=')) {
                    Optional<String> value = value();
                    if (value.isEmpty()) {
                        return;
                    }
                    parameters.putIfAbsent(word.toLowerCase(Locale.ROOT), value.orElseThrow());
                    word = nextWord();
                }
                challenges.add(new Challenge(scheme, parameters));
            }
        }

        private String nextWord() {
            while (at < text.length() && (isSpace(text.charAt(at)) || text.charAt(at) == ',')) {
                at++;
            }
            return word();
        }

        private String word() {
            int start = at;
            while (at < text.length() && isToken(text.charAt(at))) {
                at++;
            }
            return text.substring(start, at);
        }

        private boolean take(char wanted) {
            int before = at;
            skipSpaces();
            if (at < text.length() && text.charAt(at) == wanted) {
                at++;
                skipSpaces();
                return true;
            }
            at = before;
            return false;
        }

        private void skipSpaces() {
            while (at < text.length() && isSpace(text.charAt(at))) {
                at++;
            }
        }

        private Optional<String> value() {
            if (at >= text.length() || text.charAt(at) != '"') {
                String word = word();
                return word.isEmpty() ? Optional.empty() : Optional.of(word);
            }
            var value = new StringBuilder();
            for (at++; at < text.length(); at++) {
                char next = text.charAt(at);
                if (next == '"') {
                    at++;
                    return Optional.of(value.toString());
                }
                if (next == '\\' && at + 1 < text.length()) {
                    next = text.charAt(++at);
                }
                value.append(next);
            }
            return Optional.empty();
        }

        private static boolean isSpace(char character) {
            return character == ' ' || character == '\t';
        }

        private static boolean isToken(char character) {
            return character < 128
                    && (Character.isLetterOrDigit(character) || TOKEN_CHARACTERS.indexOf(character) >= 0);
        }
    }
}
