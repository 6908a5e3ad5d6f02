package dev.caisson.scan;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Tells names of secrets from other names, and values that are secrets from switches and references.
public final class SecretNames {
    /// The word that makes a name a secret's stands at its end, but for what tells several of a kind
    /// apart.
    private static final Pattern NAME = Pattern.compile(
            "(?:^|[_.-])(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|APIKEY|API_KEY|ACCESS_KEY|PRIVATE_KEY|"
                    + "SECRET_KEY|ENCRYPTION_KEY|SIGNING_KEY|MASTER_KEY|AUTH_KEY|CREDENTIAL|CREDENTIALS|JWT_KEY|APP_KEY)"
                    + "(?:[_.-]?(?:[0-9]{1,3}|V[0-9]{1,2}|PROD|PRODUCTION|DEV|DEVELOPMENT|TEST|STAGING|LIVE|SANDBOX|LOCAL"
                    + "|OLD|NEW|CURRENT|PREVIOUS|NEXT|PRIMARY|SECONDARY|MAIN|BACKUP|DEFAULT|BASE|BASE64|VALUE|PLAIN|TEXT"
                    + "|STRING|KEY|ROOT|ADMIN|USER|APP|DB|DATABASE|RO|RW|READONLY))*$");
    private static final Pattern JOINED =
            Pattern.compile("(?<=[A-Z0-9])(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|APIKEY|SECRETKEY|PASS)$");
    private static final Pattern HARMLESS_NAME = Pattern.compile(
            "(?:_FILE|_PATH|_DIR|_URL|_URI|_TTL|_EXPIRY|_EXPIRATION|_EXPIRES|_LIFETIME|_TIMEOUT|_LENGTH|_MIN|_MAX|_NAME|"
                    + "_ID|_TYPE|_ENABLED|_DISABLED|_REQUIRED|_POLICY|_HASHER|_ALGORITHM|_HEADER|_FIELD|_PREFIX|_PROVIDER|_ENDPOINT|_COUNT|_LIMIT|_INTERVAL|_BACKEND)$"
                    + "|^(?:PWD|OLDPWD)$|PUBLIC|ALLOW_EMPTY|_RANDOM_|NO_PASSWORD|BYPASS|BUYPASS|COMPASS|^DISABLE|^ENABLE|^USE_");
    private static final Set<String> HARMLESS_VALUES =
            Set.of("", "true", "false", "yes", "no", "none", "null", "0", "1");
    private static final Pattern REFERENCE =
            Pattern.compile("^(?:\\$|/run/secrets/|file:|/|vault:|op://|ENC\\[|\\{\\{|<[^>]*>$)");
    private static final Pattern HUMP = Pattern.compile("([a-z0-9])([A-Z])");

    private SecretNames() {}

    /// True if something of this name holds a secret by its name.
    public static boolean isSecretName(String name) {
        String upper = name.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
        if (HARMLESS_NAME.matcher(upper).find()) {
            return false;
        }
        return NAME.matcher(upper).find()
                || JOINED.matcher(upper).find()
                || NAME.matcher(HUMP.matcher(name)
                                .replaceAll("$1_$2")
                                .toUpperCase(Locale.ROOT)
                                .replace('-', '_')
                                .replace('.', '_'))
                        .find();
    }

    /// True if the value is one that somebody must not know: not empty, no switch, no reference to
    /// where it is kept.
    public static boolean isSecretValue(String value) {
        String text = value.strip();
        return !HARMLESS_VALUES.contains(text.toLowerCase(Locale.ROOT))
                && !REFERENCE.matcher(text).find();
    }
}
