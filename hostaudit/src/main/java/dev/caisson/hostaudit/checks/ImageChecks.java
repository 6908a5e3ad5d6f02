package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.facts.ImageFacts.Content;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Checks of images by their configuration and content. CIS section 4.
final class ImageChecks {
    private static final long DAY = 86_400;
    private static final long STALE_DAYS = 180;

    static final List<HostRule> ALL = List.of(
            HostRule.image("image-root", (facts, image) -> user(image)),
            HostRule.image(
                    "image-untrusted",
                    (facts, image) -> Answer.failIf(
                                    image.digests().isEmpty(),
                                    Answer.subject(image),
                                    "it has no digest of a registry",
                                    "it is " + Excerpt.list(image.digests()))
                            .claim("API /images", String.join(", ", image.digests()))),
            HostRule.image("image-tools", (facts, image) -> content(image, found -> tools(image, found))),
            HostRule.image("image-stale", ImageChecks::age),
            HostRule.one("content-trust-off", ImageChecks::trust),
            HostRule.image("image-unhealthy", (facts, image) -> health(image)),
            HostRule.image(
                    "image-setuid",
                    (facts, image) -> content(
                            image,
                            found -> Answer.failIf(
                                            !found.elevating().isEmpty(),
                                            Answer.subject(image),
                                            "these raise privileges: " + Excerpt.list(found.elevating()),
                                            "no program of its " + found.files() + " files raises privileges")
                                    .truth("the layers' files", Excerpt.list(found.elevating())))),
            HostRule.image("image-unsigned", (facts, image) -> content(image, found -> origin(image, found))));

    private ImageChecks() {}

    private static Answer content(ImageFacts image, Function<Content, Answer> judge) {
        Optional<Content> content = image.content();
        return content.isPresent()
                ? judge.apply(content.get())
                : Answer.notEvaluated(Answer.subject(image), image.contentReason());
    }

    /// By number, or by name through the image's own passwd(5): another name may well be uid 0.
    private static Answer user(ImageFacts image) {
        String user = image.user().isEmpty() ? "no USER" : "USER " + image.user();
        boolean namesRoot = ImageFacts.uid(image.user(), "").orElse(-1) == 0
                || image.user().split(":", 2)[0].equals("root");
        boolean isRoot = namesRoot
                || image.content()
                        .filter(content -> content.uidOfUser().orElse(-1) == 0)
                        .isPresent();
        boolean isNumber = ImageFacts.uid(image.user(), "").isPresent();
        if (!isRoot && !isNumber && image.content().isEmpty()) {
            return Answer.notEvaluated(Answer.subject(image), user + " may stand for any uid: " + image.contentReason())
                    .claim("API /images", user);
        }
        String truth = image.content()
                .map(content -> content.uidOfUser().isPresent()
                        ? "uid " + content.uidOfUser().getAsLong()
                        : "a name that its passwd lacks")
                .orElseGet(() -> "uid " + ImageFacts.uid(image.user(), "").orElse(0));
        return Answer.failIf(
                        isRoot, Answer.subject(image), user + " starts it as uid 0", user + " starts it as " + truth)
                .claim("API /images", user)
                .truth("/etc/passwd of the image", truth);
    }

    private static Answer tools(ImageFacts image, Content content) {
        String packages = content.packages() == 0 ? "" : "; " + content.packages() + " packages";
        return Answer.failIf(
                        !content.tools().isEmpty(),
                        Answer.subject(image),
                        "it holds " + Excerpt.list(content.tools()) + packages,
                        "it holds no compiler, debugger, download tool or package manager" + packages)
                .truth("the layers' files", Excerpt.list(content.tools()) + packages);
    }

    private static Answer age(Facts facts, ImageFacts image) {
        if (image.created() <= 0) {
            return Answer.manual(Answer.subject(image), "it does not say when it was built");
        }
        long days = (facts.second() - image.created()) / DAY;
        return Answer.failIf(
                        days > STALE_DAYS,
                        Answer.subject(image),
                        "it was built " + days + " days ago",
                        "it was built " + days + " days ago")
                .claim("API /images", "created " + java.time.Instant.ofEpochSecond(image.created()));
    }

    private static Answer trust(Facts facts) {
        String value = facts.host().environment().getOrDefault("DOCKER_CONTENT_TRUST", "");
        boolean policy = facts.host().files().containsKey("/etc/containers/policy.json");
        return value.equals("1")
                ? Answer.pass(Answer.HOST, "/etc/environment sets DOCKER_CONTENT_TRUST=1 for everybody")
                        .claim("/etc/environment", "DOCKER_CONTENT_TRUST=1")
                : Answer.fail(Answer.HOST, "nothing of this host makes clients verify what they pull")
                        .claim("/etc/environment", "DOCKER_CONTENT_TRUST=" + value)
                        .evidence("/etc/containers/policy.json", policy ? "exists" : "does not exist");
    }

    private static Answer health(ImageFacts image) {
        boolean none =
                image.healthTest().isEmpty() || image.healthTest().getFirst().equals("NONE");
        return Answer.failIf(
                        none,
                        Answer.subject(image),
                        image.healthTest().isEmpty() ? "it has no HEALTHCHECK" : "its HEALTHCHECK is NONE",
                        "its health is asked by " + String.join(" ", image.healthTest()))
                .claim("API /images", String.join(" ", image.healthTest()));
    }

    private static Answer origin(ImageFacts image, Content content) {
        boolean labelled = image.labels().containsKey("org.opencontainers.image.source")
                && image.labels().containsKey("org.opencontainers.image.revision");
        String proof = content.billOfMaterials().isEmpty()
                ? "no bill of materials"
                : "bill of materials " + Excerpt.list(content.billOfMaterials());
        return (labelled && !content.billOfMaterials().isEmpty()
                        ? Answer.pass(Answer.subject(image), "it names its source and revision, and has a " + proof)
                        : Answer.fail(
                                Answer.subject(image),
                                proof + (labelled ? "" : ", and no labels that name source and revision")))
                .evidence("labels", image.labels().keySet().toString());
    }
}
