package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Secrets;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.facts.ImageFacts.Step;
import dev.caisson.hostaudit.secrets.Variables;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Checks of images by their whole history: what each step ran, untruncated, by its instruction. CIS
/// section 4.
final class ImageHistoryChecks {
    static final List<HostRule> ALL = List.of(
            HostRule.image("image-update-alone", (facts, image) -> updates(image)),
            HostRule.image("image-add", (facts, image) -> adds(image)),
            HostRule.image("image-secrets", (facts, image) -> secrets(image)),
            HostRule.image("image-unverified-packages", (facts, image) -> unverified(image)));

    private static final Pattern UPDATE = Pattern.compile(
            "\\b(?:apt-get|apt|aptitude|apk|yum|dnf|microdnf|zypper)\\b[^;&|]*?\\s(?:update|refresh|check-update|makecache)\\b");
    private static final Pattern INSTALL = Pattern.compile(
            "\\b(?:apt-get|apt|aptitude|apk|yum|dnf|microdnf|zypper)\\b[^;&|]*?\\s(?:install|add|upgrade|dist-upgrade|in)\\b");
    private static final Pattern NOP = Pattern.compile("^/bin/sh -c #\\(nop\\)\\s+(.*)$", Pattern.DOTALL);
    private static final Pattern ADD = Pattern.compile("^ADD\\s+(.*)$", Pattern.DOTALL);
    /// The first step of most base images: an archive of a root file system, which COPY cannot unpack.
    private static final Pattern ROOT_ARCHIVE =
            Pattern.compile("(?:file:[0-9a-f]{64} in /|\\S+\\.tar(?:\\.\\w+)? /)\\s*$");
    private static final Pattern UNVERIFIED = Pattern.compile(
            "--allow-unauthenticated|--force-yes|--nogpgcheck|--no-gpg-checks?|--allow-untrusted|--trusted-host"
                    + "|Acquire::AllowInsecureRepositories=true|trusted=yes|APT::Get::AllowUnauthenticated"
                    + "|\\bcurl\\b[^;&|]*\\s(?:-k|--insecure)\\b|\\bwget\\b[^;&|]*--no-check-certificate"
                    + "|\\b(?:curl|wget)\\b[^;&]*\\|\\s*(?:sudo\\s+)?(?:ba|da|z|)sh\\b|strict-ssl\\s+false"
                    + "|GIT_SSL_NO_VERIFY=(?:1|true)|NODE_TLS_REJECT_UNAUTHORIZED=0");

    private ImageHistoryChecks() {}

    /// The instruction without the wrapping that builders put around it.
    static String instruction(String command) {
        Matcher nop = NOP.matcher(command);
        return nop.matches() ? nop.group(1).strip() : command.strip();
    }

    private static boolean isRun(String instruction) {
        return instruction.startsWith("RUN ")
                || instruction.startsWith("/bin/sh -c ")
                || instruction.startsWith("|")
                || instruction.startsWith("/bin/");
    }

    private static List<String> matching(ImageFacts image, java.util.function.Predicate<String> bad) {
        return image.history().stream()
                .map(Step::command)
                .map(ImageHistoryChecks::instruction)
                .filter(bad)
                .map(Secrets::masked)
                .map(ImageHistoryChecks::shortened)
                .toList();
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() > 160 ? line.substring(0, 157) + "..." : line;
    }

    private static Answer judged(ImageFacts image, List<String> found, String bad, String good) {
        if (image.history().isEmpty()) {
            return Answer.notEvaluated(Answer.subject(image), "the engine tells no history of it");
        }
        return Answer.failIf(!found.isEmpty(), Answer.subject(image), bad + Excerpt.list(found), good)
                .claim(
                        "API /images/history",
                        found.isEmpty() ? image.history().size() + " steps" : Excerpt.list(found));
    }

    private static Answer updates(ImageFacts image) {
        return judged(
                image,
                matching(
                        image,
                        step -> isRun(step)
                                && UPDATE.matcher(step).find()
                                && !INSTALL.matcher(step).find()),
                "an update without an install: ",
                "no step updates package lists alone");
    }

    private static Answer adds(ImageFacts image) {
        return judged(
                image,
                matching(image, step -> {
                    Matcher add = ADD.matcher(step);
                    return add.matches()
                            && !ROOT_ARCHIVE.matcher(add.group(1)).find()
                            && !add.group(1).contains("--checksum=");
                }),
                "ADD was used: ",
                "no step uses ADD where COPY would do");
    }

    private static Answer secrets(ImageFacts image) {
        var found = new ArrayList<String>();
        image.environment().stream()
                .filter(Variables::holdsSecret)
                .forEach(variable -> found.add("variable " + variable.split("=", 2)[0]));
        image.labels().forEach((name, value) -> {
            if (Variables.holdsSecret(name, value)) {
                found.add("label " + name);
            }
        });
        for (Step step : image.history()) {
            String text = instruction(step.command());
            Variables.secretsOf(text).forEach(what -> found.add(what + " in the history"));
        }
        image.content().ifPresent(content -> content.secretFiles().forEach(file -> found.add("file " + file)));
        List<String> distinct = found.stream().distinct().sorted().toList();
        if (distinct.isEmpty() && image.content().isEmpty()) {
            return Answer.notEvaluated(Answer.subject(image), image.contentReason());
        }
        Answer answer = Answer.failIf(
                !distinct.isEmpty(),
                Answer.subject(image),
                "it holds " + Excerpt.list(distinct),
                "no secret stands in its variables, labels, history or files");
        return answer.evidence("configuration, history and layers", Excerpt.list(distinct));
    }

    private static Answer unverified(ImageFacts image) {
        List<String> found = matching(
                image,
                step -> (isRun(step) || step.toLowerCase(Locale.ROOT).startsWith("env "))
                        && UNVERIFIED.matcher(step).find());
        return judged(image, found, "not verified: ", "no step switches verification off");
    }
}
