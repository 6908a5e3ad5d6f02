package dev.caisson.hostaudit.secrets;

import dev.caisson.audit.Secrets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Variables as `NAME=value`, labels, command lines and other text that people put secrets into. Facts
/// never hold a secret, only what it is and how long.
public final class Variables {
    private static final String PLAIN = "a secret";
    private static final Pattern LEFT_OUT = Pattern.compile("<(an? [^<>]+), \\d+ characters>");
    private static final Pattern KEY_BLOCK = Pattern.compile(
            "-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----.*?(?:-----END (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----|\\z)",
            Pattern.DOTALL);
    /// `NAME=value`, `--name value`, `"name": "value"`. Somebody else chose the text: a name is tried once, from its
    /// start, and its value is looked at where the name is a secret's.
    private static final Pattern NAMED =
            Pattern.compile("(?<![A-Za-z0-9_.-])[0-9.-]*+(?<name>[A-Za-z_][A-Za-z0-9_.-]*+)"
                    + "(?<between>[\"']?(?:\\s++=\\s*+|\\s*+:\\s*+|=)|[ \\t]++)");
    /// The start of a bare value, which is enough to tell a reference or a switch.
    private static final Pattern VALUE =
            Pattern.compile("\"[^\"]*+\"|'[^']*+'|<an? [^<>]++>|(?<bare>[^\\s\"',;&|]{1,128}+)");
    private static final Pattern BARE_REST = Pattern.compile("[^\\s\"',;&|]*+");
    /// A word of a command line as a shell or a list in JSON has it, or what ends a command.
    private static final Pattern WORD = Pattern.compile(
            "(?<end>[;&|()\n])|(?:\\\\.|\"[^\"]*+\"|'[^']*+'|<an? [^<>]++>|[^\\s\\\\\"';&|()<,\\[\\]}]++|<"
                    + "|[,\\[](?!\\s*+[\"'])|(?<![\"'])[\\]}])++",
            Pattern.DOTALL);
    private static final Pattern QUOTES = Pattern.compile("[\"']");

    private Variables() {}

    public static boolean holdsSecret(String variable) {
        String[] parts = variable.split("=", 2);
        return parts.length == 2 && holdsSecret(parts[0], parts[1]);
    }

    public static boolean holdsSecret(String name, String value) {
        return LEFT_OUT.matcher(value).find()
                || (Secrets.isSecretName(name) && Secrets.isSecretValue(value))
                || Secrets.form(value).isPresent();
    }

    /// The variable, without the value where that is a secret.
    public static String withoutSecret(String variable) {
        String[] parts = variable.split("=", 2);
        return parts.length == 2 ? parts[0] + "=" + value(parts[0], parts[1]) : text(variable);
    }

    public static List<String> withoutSecrets(List<String> variables) {
        return variables.stream().map(Variables::withoutSecret).toList();
    }

    public static Map<String, String> withoutSecrets(Map<String, String> labels) {
        Map<String, String> result = new TreeMap<>();
        labels.forEach((name, value) -> result.put(name, value(name, value)));
        return result;
    }

    public static String value(String name, String value) {
        boolean named = Secrets.isSecretName(name)
                && Secrets.isSecretValue(value)
                && !LEFT_OUT.matcher(value).matches();
        Optional<String> form = Secrets.form(value);
        return named || form.isPresent() ? leftOut(form.orElse(PLAIN), value) : text(value);
    }

    /// The words of a command line: also what follows a flag that is called like a secret, and what well-known
    /// programs take as a password.
    public static List<String> arguments(List<String> words) {
        List<String> result = new ArrayList<>();
        var flags = new PasswordFlags();
        boolean secret = false;
        for (String word : words) {
            int start = flags.startIn(word);
            if (start >= 0) {
                result.add(withoutEnd(word, start));
            } else if (secret && !word.startsWith("-") && Secrets.isSecretValue(word)) {
                result.add(leftOut(PLAIN, word));
            } else {
                result.add(text(word));
            }
            secret = word.startsWith("-")
                    && word.indexOf('=') < 0
                    && Secrets.isSecretName(word.replaceFirst("^-+", "").replace('-', '_'));
        }
        return result;
    }

    private static String withoutEnd(String word, int start) {
        return word.substring(0, start) + leftOut(PLAIN, word.substring(start));
    }

    /// A text without what programs that are called in it take as a password.
    private static String commands(String text) {
        Matcher words = WORD.matcher(text);
        var flags = new PasswordFlags();
        var result = new StringBuilder();
        int from = 0;
        while (words.find()) {
            String word = QUOTES.matcher(words.group()).replaceAll("");
            if (words.start("end") >= 0) {
                flags.end();
            } else if (!word.equals("\\\n")) {
                int start = flags.startIn(word);
                String left = start >= 0 ? withoutEnd(word, start) : script(words.group());
                result.append(text, from, words.start()).append(left);
                from = words.end();
            }
        }
        return result.append(text, from, text.length()).toString();
    }

    /// A script that a shell is given as one word. What stands in quotes has none of the same kind, so that this ends.
    private static String script(String word) {
        String inner = unquoted(word);
        boolean script = inner.length() < word.length()
                && word.endsWith(word.substring(0, 1))
                && inner.indexOf(word.charAt(0)) < 0;
        return script ? word.charAt(0) + commands(inner) + word.charAt(0) : word;
    }

    /// A text without the secrets in it.
    public static String text(String text) {
        String left = KEY_BLOCK
                .matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(leftOut("a private key", found.group())));
        left = Secrets.replaced(left, Variables::leftOut);
        left = commands(left);
        Matcher named = NAMED.matcher(left);
        var result = new StringBuilder();
        int from = 0;
        int at = 0;
        while (named.find(at)) {
            Optional<Matcher> value = secretValue(named, left);
            if (value.isPresent()) {
                at = end(value.get(), left);
                result.append(left, from, named.end()).append(hidden(unquoted(left.substring(named.end(), at))));
                from = at;
            } else {
                at = named.end("name");
            }
        }
        return result.append(left, from, left.length()).toString();
    }

    /// The value that stands after a name, where both are a secret's. A blank alone stands between a flag and its
    /// value, or after an instruction's variable.
    private static Optional<Matcher> secretValue(Matcher named, String text) {
        boolean flag = text.startsWith("--", Math.max(0, named.start("name") - 2));
        if ((!flag && named.group("between").isBlank()) || !Secrets.isSecretName(named.group("name"))) {
            return Optional.empty();
        }
        return valueAt(named.end(), text)
                .filter(value -> Secrets.isSecretValue(unquoted(value.group()))
                        && !LEFT_OUT.matcher(unquoted(value.group())).matches());
    }

    private static Optional<Matcher> valueAt(int start, String text) {
        Matcher value = VALUE.matcher(text).region(start, text.length());
        return value.lookingAt() ? Optional.of(value) : Optional.empty();
    }

    /// Returns the end of the value, also if only its start was looked at.
    private static int end(Matcher value, String text) {
        if (value.start("bare") < 0) {
            return value.end();
        }
        Matcher rest = BARE_REST.matcher(text).region(value.end(), text.length());
        return rest.lookingAt() ? rest.end() : value.end();
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() > 1 && (value.charAt(0) == '"' || value.charAt(0) == '\'');
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    private static String hidden(String value) {
        return LEFT_OUT.matcher(value).matches() || !Secrets.isSecretValue(value) ? value : leftOut(PLAIN, value);
    }

    private static String leftOut(String what, String secret) {
        return "<" + what + ", " + secret.length() + " characters>";
    }

    /// Returns what [#text] left out, by its name if it has one, else by its kind.
    public static Set<String> secretsOf(String text) {
        Set<String> found = new TreeSet<>();
        Matcher named = NAMED.matcher(text);
        int at = 0;
        while (named.find(at)) {
            if (text.startsWith("<", named.end())
                    && valueAt(named.end(), text)
                            .filter(value -> LEFT_OUT.matcher(value.group()).matches())
                            .isPresent()
                    && Secrets.isSecretName(named.group("name"))) {
                found.add(named.group("name"));
            }
            at = named.end("name");
        }
        LEFT_OUT.matcher(text)
                .results()
                .map(result -> result.group(1))
                .filter(kind -> !kind.equals(PLAIN) || found.isEmpty())
                .forEach(found::add);
        return found;
    }

    /// Names a secret that stands on a command line.
    public static String onCommandLine(String what) {
        return what.startsWith("a ") || what.startsWith("an ")
                ? what + " on a command line"
                : "argument " + what + " on a command line";
    }
}
