package dev.caisson.audit;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Tells secrets from other text by the names of what holds them and by the forms that tokens have.
public final class Secrets {
    private record Form(String what, Pattern pattern) {}

    private static final List<Form> FORMS = List.of(
            new Form("a private key", Pattern.compile("-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----")),
            new Form("an AWS access key", Pattern.compile("\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b")),
            new Form("a GitHub token", Pattern.compile("\\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\\w{22,})")),
            new Form("a GitLab token", Pattern.compile("\\bglpat-[\\w-]{20,}")),
            new Form("a Slack token", Pattern.compile("\\bxox[abeoprs]-[\\w-]{10,}")),
            new Form(
                    "a Slack webhook",
                    Pattern.compile("\\bhooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{16,}")),
            new Form(
                    "a Discord webhook",
                    Pattern.compile("\\bdiscord(?:app)?\\.com/api/(?:v\\d{1,2}/)?webhooks/\\d{6,}/[\\w-]{16,}")),
            new Form(
                    "a Teams webhook",
                    Pattern.compile(
                            "\\b(?:webhook\\.office\\.com/webhookb2|outlook\\.office(?:365)?\\.com/webhook)/[\\w@/-]{16,}")),
            // also what a Teams workflow is called by
            new Form(
                    "a signature in an Azure URL",
                    Pattern.compile(
                            "\\b(?:azure|windows|powerplatform)\\.(?:com|net)(?::\\d{1,5})?/[^\\s\"']{0,400}?[?&]sig=[\\w%+/-]{30,}")),
            // an address has the word bot right before it
            new Form("a Telegram bot token", Pattern.compile("(?<!\\d)\\d{8,10}:AA[\\w-]{33}(?![\\w-])")),
            new Form(
                    "a webhook",
                    Pattern.compile("\\b(?:hooks\\.zapier\\.com/hooks/catch/\\d+/\\w{5,}"
                            + "|maker\\.ifttt\\.com/trigger/[^/\\s]{1,100}/(?:json/)?with/key/[\\w-]{16,}"
                            + "|open\\.(?:feishu\\.cn|larksuite\\.com)/open-apis/bot/v2/hook/[\\w-]{16,}"
                            + "|qyapi\\.weixin\\.qq\\.com/cgi-bin/webhook/send\\?key=[\\w-]{16,})")),
            new Form("a Stripe key", Pattern.compile("\\b[rs]k_live_[0-9A-Za-z]{16,}")),
            new Form("a Google key", Pattern.compile("\\bAIza[0-9A-Za-z_-]{35}\\b")),
            new Form("an npm token", Pattern.compile("\\bnpm_[A-Za-z0-9]{36}\\b")),
            // tried once in a run of its characters, for whoever chose the text could let it begin at every fourth
            new Form(
                    "a JSON web token",
                    Pattern.compile("(?<![\\w-])(?>[\\w-]*?\\beyJ)[\\w-]{10,}+\\.eyJ[\\w-]{10,}+\\.[\\w-]{10,}")),
            new Form(
                    "a password in a URL",
                    Pattern.compile(
                            "\\b[a-z][a-z0-9+.-]{1,20}://[^\\s:/@\"'$]{0,64}:([^\\s:/@\"'${}<>]{3,128})@[^\\s@]")),
            new Form(
                    "a password in a data source name",
                    Pattern.compile("\\b[\\w.-]{1,64}:([^\\s:/@\"'$<>{}]{3,128})@(?:tcp|unix|udp)\\(")),
            new Form(
                    "a password in a connection string",
                    Pattern.compile(
                            "(?i)(?:server|host|data source|user id|user|uid|username|dbname|database|accountname"
                                    + "|endpoint)=[^;&\\s\"']{1,200}[;&\\s][^\"'\\n]{0,300}?\\b(?:password|pwd|accountkey"
                                    + "|sharedaccesskey)=(?![$<{])[^;&\\s\"'$]{3,128}"
                                    + "|\\b(?:password|pwd|accountkey|sharedaccesskey)=(?![$<{])[^;&\\s\"'$]{3,128}[;&\\s][^\"'\\n]"
                                    + "{0,300}?\\b(?:server|host|data source|user id|user|uid|username|dbname|database)=")),
            new Form(
                    "a password in an authorization header",
                    Pattern.compile("(?i)\\bauthorization:\\s*(?:basic|bearer)\\s+(?!\\$)[\\w+/=.-]{8,}")));

    /// The word that makes a name a secret's stands at its end, but for what tells several of a kind apart.
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
                    + "|^(?:PWD|OLDPWD)$|PUBLIC|ALLOW_EMPTY|_RANDOM_|NO_PASSWORD|BYPASS|COMPASS|^DISABLE|^ENABLE|^USE_");
    private static final Set<String> HARMLESS_VALUES =
            Set.of("", "true", "false", "yes", "no", "none", "null", "0", "1");
    private static final Pattern REFERENCE =
            Pattern.compile("^(?:\\$|/run/secrets/|file:|/|vault:|op://|ENC\\[|\\{\\{|<[^>]*>$)");
    private static final int SHOWN = 2;

    private Secrets() {}

    /// True if something of this name holds a secret by its name.
    public static boolean isSecretName(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        if (HARMLESS_NAME.matcher(upper).find()) {
            return false;
        }
        return NAME.matcher(upper).find()
                || JOINED.matcher(upper).find()
                || NAME.matcher(snake(name)).find();
    }

    /// True if the value is one that somebody must not know: not empty, no switch, no reference to where it
    /// is kept.
    public static boolean isSecretValue(String value) {
        String text = value.strip();
        return !HARMLESS_VALUES.contains(text.toLowerCase(Locale.ROOT))
                && !REFERENCE.matcher(text).find();
    }

    /// Returns the kind of secret that a text shows by its form alone.
    public static Optional<String> form(String text) {
        if (text.length() < 8) {
            return Optional.empty();
        }
        return FORMS.stream()
                .filter(form -> form.pattern().matcher(text).find())
                .map(Form::what)
                .findFirst();
    }

    /// A text with every secret of a known form cut short.
    public static String masked(String text) {
        return replaced(text, (what, secret) -> cut(secret));
    }

    /// A text with something else in place of every secret of a known form.
    /// @param other takes what the secret is, and itself
    public static String replaced(String text, BinaryOperator<String> other) {
        String replaced = text;
        for (Form form : FORMS) {
            Matcher matcher = form.pattern().matcher(replaced);
            replaced = matcher.replaceAll(found -> Matcher.quoteReplacement(other.apply(form.what(), found.group())));
        }
        return replaced;
    }

    /// The first two characters of a longer text, and how long it is.
    public static String cut(String secret) {
        return secret.length() <= 2 * SHOWN
                ? "***"
                : secret.substring(0, SHOWN) + "*** (" + secret.length() + " characters)";
    }

    /// `dbPassword` as `DB_PASSWORD`.
    private static String snake(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
    }
}
