package dev.caisson.audit;

import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.Masks;
import dev.caisson.scan.RuleSet;
import dev.caisson.scan.SecretNames;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
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

    /// Knows the forms of more issuers than the list above.
    private static final LeakScanner SCANNER = new LeakScanner(RuleSet.own(), Instant.EPOCH);

    private Secrets() {}

    /// True if something of this name holds a secret by its name.
    public static boolean isSecretName(String name) {
        return SecretNames.isSecretName(name);
    }

    /// True if the value is one that somebody must not know: not empty, no switch, no reference to where it
    /// is kept.
    public static boolean isSecretValue(String value) {
        return SecretNames.isSecretValue(value);
    }

    /// Returns the kind of secret that a text shows by its form alone.
    public static Optional<String> form(String text) {
        if (text.length() < 8) {
            return Optional.empty();
        }
        return FORMS.stream()
                .filter(form -> form.pattern().matcher(text).find())
                .map(Form::what)
                .findFirst()
                .or(() -> scanned(text));
    }

    /// Returns the kind of secret that the text of a file holds, by its form or by the name before it.
    static Optional<String> inFile(String text) {
        return form(text)
                .or(() -> SCANNER.scan("", text).stream()
                        .filter(leak -> leak.place().decoded().isEmpty())
                        .map(leak -> withArticle(leak.rule().title()))
                        .findFirst());
    }

    private static Optional<String> scanned(String text) {
        return SCANNER.scan("", text).stream()
                .filter(leak -> !leak.rule().id().equals("assigned-secret")
                        && leak.place().decoded().isEmpty())
                .map(leak -> withArticle(leak.rule().title()))
                .findFirst();
    }

    private static String withArticle(String title) {
        return ("AEIOaeio".indexOf(title.charAt(0)) >= 0 || title.matches("npm .*|[AEFHILMNORSX][A-Z0-9].*")
                        ? "an "
                        : "a ")
                + title;
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
        return SCANNER.replaced(replaced, (title, secret) -> other.apply(withArticle(title), secret));
    }

    /// The first two characters of a longer text, and how long it is.
    public static String cut(String secret) {
        return Masks.masked(secret);
    }
}
