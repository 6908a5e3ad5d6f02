package dev.caisson.hostaudit;

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
final class Variables {
    private static final String PLAIN = "a secret";
    private static final Pattern LEFT_OUT = Pattern.compile("<(an? [^<>]+), \\d+ characters>");
    private static final Pattern KEY_BLOCK = Pattern.compile(
            "-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----.*?(?:-----END (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----|\\z)",
            Pattern.DOTALL);
    /// `NAME=value`, `--name value`, `"name": "value"`.
    private static final Pattern NAMED = Pattern.compile("(?<name>[A-Za-z_][A-Za-z0-9_.-]*)"
            + "(?<between>[\"']?\\s*[:=]\\s*|[ \\t]+)"
            + "(?<value>\"[^\"]*\"|'[^']*'|<an? [^<>]+>|[^\\s\"',;&|]+)");
    /// What curl(1) and wget(1) take a user and a password by.
    private static final Pattern USER = Pattern.compile(
            "(?<before>(?:^|\\s)(?:-u|--user|--proxy-user)[ =]?[\"']?[^\\s:\"']+:)(?<value><an? [^<>]+>|[^\\s\"']+)");

    private Variables() {}

    static boolean holdsSecret(String variable) {
        String[] parts = variable.split("=", 2);
        return parts.length == 2 && holdsSecret(parts[0], parts[1]);
    }

    static boolean holdsSecret(String name, String value) {
        return LEFT_OUT.matcher(value).find()
                || (Secrets.isSecretName(name) && Secrets.isSecretValue(value))
                || Secrets.form(value).isPresent();
    }

    /// The variable, without the value where that is a secret.
    static String withoutSecret(String variable) {
        String[] parts = variable.split("=", 2);
        return parts.length == 2 ? parts[0] + "=" + value(parts[0], parts[1]) : text(variable);
    }

    static List<String> withoutSecrets(List<String> variables) {
        return variables.stream().map(Variables::withoutSecret).toList();
    }

    static Map<String, String> withoutSecrets(Map<String, String> labels) {
        Map<String, String> result = new TreeMap<>();
        labels.forEach((name, value) -> result.put(name, value(name, value)));
        return result;
    }

    static String value(String name, String value) {
        boolean named = Secrets.isSecretName(name)
                && Secrets.isSecretValue(value)
                && !LEFT_OUT.matcher(value).matches();
        Optional<String> form = Secrets.form(value);
        return named || form.isPresent() ? leftOut(form.orElse(PLAIN), value) : text(value);
    }

    /// The words of a command line: also what follows a flag that is called like a secret.
    static List<String> arguments(List<String> words) {
        List<String> result = new ArrayList<>();
        boolean secret = false;
        for (String word : words) {
            result.add(
                    secret && !word.startsWith("-") && Secrets.isSecretValue(word) ? leftOut(PLAIN, word) : text(word));
            secret =
                    word.startsWith("-") && word.indexOf('=') < 0 && Secrets.isSecretName(word.replaceFirst("^-+", ""));
        }
        return result;
    }

    /// A text without the secrets in it.
    static String text(String text) {
        String left = KEY_BLOCK
                .matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(leftOut("a private key", found.group())));
        left = Secrets.replaced(left, Variables::leftOut);
        left = USER.matcher(left)
                .replaceAll(found -> Matcher.quoteReplacement(found.group("before") + hidden(found.group("value"))));
        Matcher named = NAMED.matcher(left);
        var result = new StringBuilder();
        int from = 0;
        int at = 0;
        while (named.find(at)) {
            String value = unquoted(named.group("value"));
            if (isNamed(named, left, value)) {
                result.append(left, from, named.start("value")).append(hidden(value));
                from = named.end();
                at = from;
            } else {
                at = named.end("name");
            }
        }
        return result.append(left, from, left.length()).toString();
    }

    /// A blank alone stands between a flag and its value, or after an instruction's variable.
    private static boolean isNamed(Matcher named, String text, String value) {
        boolean flag = text.startsWith("--", Math.max(0, named.start() - 2));
        return (flag || !named.group("between").isBlank())
                && Secrets.isSecretName(named.group("name"))
                && Secrets.isSecretValue(value)
                && !LEFT_OUT.matcher(value).matches();
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

    /// What [#text] left out, by its kind, or by its name where it has one.
    static Set<String> secretsOf(String text) {
        Set<String> found = new TreeSet<>();
        Matcher named = NAMED.matcher(text);
        int at = 0;
        while (named.find(at)) {
            if (LEFT_OUT.matcher(named.group("value")).matches() && Secrets.isSecretName(named.group("name"))) {
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
}
