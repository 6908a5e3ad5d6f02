package dev.caisson.hostaudit;

import dev.caisson.audit.Secrets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Variables as `NAME=value`, and labels alike. Facts never hold the value of one that is a secret, only what it is and
/// how long.
final class Variables {
    private static final Pattern LEFT_OUT = Pattern.compile("<an? [^<>]+, \\d+ characters>");

    private Variables() {}

    static boolean holdsSecret(String variable) {
        String[] parts = variable.split("=", 2);
        return parts.length == 2
                && (LEFT_OUT.matcher(parts[1]).matches()
                        || (Secrets.isSecretName(parts[0]) && Secrets.isSecretValue(parts[1]))
                        || Secrets.form(parts[1]).isPresent());
    }

    /// The variable, without the value where that is a secret.
    static String withoutSecret(String variable) {
        if (!holdsSecret(variable)) {
            return variable;
        }
        String[] parts = variable.split("=", 2);
        return parts[0] + "=<" + Secrets.form(parts[1]).orElse("a secret") + ", " + parts[1].length() + " characters>";
    }

    static List<String> withoutSecrets(List<String> variables) {
        return variables.stream().map(Variables::withoutSecret).toList();
    }

    static Map<String, String> withoutSecrets(Map<String, String> labels) {
        Map<String, String> result = new TreeMap<>();
        labels.forEach((name, value) ->
                result.put(name, withoutSecret(name + "=" + value).substring(name.length() + 1)));
        return result;
    }
}
