package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Task;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.secrets.Variables;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Checks of how containers are run as services, and of what piles up. CIS sections 5 and 6.
final class ServiceChecks {
    private static final Set<String> REMOTE_SHELLS =
            Set.of("sshd", "dropbear", "telnetd", "in.telnetd", "rshd", "in.rshd", "sshd-session", "tinysshd");
    private static final long DAY = 86_400;
    private static final int OLD_DAYS = 90;
    private static final int SPARE_IMAGES = 10;
    private static final int STOPPED_DAYS = 7;

    static final List<HostRule> ALL = List.of(
            ContainerRule.of("remote-shell", ServiceChecks::remoteShell),
            HostRule.claimed("health-unknown", ServiceChecks::health),
            HostRule.of("image-superseded", ServiceChecks::superseded),
            HostRule.claimed("secret-in-env-live", ServiceChecks::secrets),
            HostRule.engine("image-sprawl", ServiceChecks::images),
            HostRule.engine("container-sprawl", ServiceChecks::containers));

    private ServiceChecks() {}

    /// By what runs: the program behind each process, and its name where the program was deleted or
    /// renamed.
    private static Answer remoteShell(ContainerFacts container, Truth truth) {
        List<String> shells = truth.processes().stream()
                .filter(process -> REMOTE_SHELLS.contains(program(process)) || REMOTE_SHELLS.contains(process.name()))
                .map(process -> process.name() + " (" + process.pid() + ", " + process.executable() + ")")
                .toList();
        return Answer.failIf(
                        !shells.isEmpty(),
                        Answer.subject(container),
                        Excerpt.list(shells),
                        "no remote shell server among its " + truth.processes().size() + " processes")
                .truth("/proc/PID/exe", shells.isEmpty() ? "none" : Excerpt.list(shells));
    }

    private static String program(Task process) {
        String path = process.executable().replace(" (deleted)", "");
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static Answer health(ContainerFacts container) {
        if (container.imageId().isEmpty()) {
            return Answer.notApplicable(
                    Answer.subject(container), "a run of Caisson has an end, and its caller waits for it");
        }
        List<String> test = container.claims().healthTest();
        boolean none = test.isEmpty() || test.getFirst().equals("NONE");
        boolean ill = container.claims().health().equals("unhealthy");
        return Answer.failIf(
                        none || ill,
                        Answer.subject(container),
                        ill ? "it is unhealthy" : "nobody asks whether it is healthy",
                        "its health is " + container.claims().health())
                .claim("API", none ? "no check" : String.join(" ", test));
    }

    private static List<Answer> superseded(Facts facts) {
        return HostRule.claimed("image-superseded", container -> {
                    if (container.imageId().isEmpty() || container.image().startsWith("sha256:")) {
                        return Answer.pass(Answer.subject(container), "its image is named by its content");
                    }
                    String reference = container.image().contains("@")
                                    || container.image().lastIndexOf(':')
                                            > container.image().lastIndexOf('/')
                            ? container.image()
                            : container.image() + ":latest";
                    Optional<String> present = facts.images().stream()
                            .filter(image -> image.tags().contains(reference)
                                    || image.digests().contains(reference))
                            .map(ImageFacts::id)
                            .findFirst();
                    boolean same = present.filter(container.imageId()::equals).isPresent();
                    return Answer.failIf(
                                    !same,
                                    Answer.subject(container),
                                    present.isPresent()
                                            ? reference + " is another image by now"
                                            : reference + " does not name its image any more",
                                    reference + " is the image that it runs")
                            .claim("API", reference + " " + present.orElse("none"))
                            .evidence("API", "runs " + container.imageId());
                })
                .judge()
                .apply(facts);
    }

    private static Answer secrets(ContainerFacts container) {
        var found = new ArrayList<String>();
        container.claims().environment().stream()
                .filter(Variables::holdsSecret)
                .forEach(variable -> found.add("variable " + variable.split("=", 2)[0]));
        container.claims().labels().forEach((name, value) -> {
            if (Variables.holdsSecret(name, value)) {
                found.add("label " + name);
            }
        });
        Variables.secretsOf(String.join(" ", container.claims().command()))
                .forEach(what -> found.add(Variables.onCommandLine(what)));
        container.truth().stream()
                .flatMap(truth -> truth.processes().stream())
                .flatMap(process -> process.secrets().stream())
                .forEach(found::add);
        List<String> distinct = found.stream().distinct().toList();
        return Answer.failIf(
                        !distinct.isEmpty(),
                        Answer.subject(container),
                        Excerpt.list(distinct),
                        "no secret stands in its variables, labels or command lines")
                .claim("API", distinct.isEmpty() ? "none" : Excerpt.list(distinct));
    }

    private static Answer images(Facts facts, EngineFacts engine) {
        List<String> spare = facts.images().stream()
                .filter(image -> image.users() == 0)
                .map(ImageFacts::label)
                .toList();
        List<String> old = facts.images().stream()
                .filter(image ->
                        image.users() == 0 && image.created() > 0 && facts.second() - image.created() > OLD_DAYS * DAY)
                .map(ImageFacts::label)
                .toList();
        return Answer.failIf(
                        spare.size() > SPARE_IMAGES || !old.isEmpty(),
                        Answer.ENGINE,
                        spare.size() + " images have no container, of which older than " + OLD_DAYS + " days: "
                                + Excerpt.list(old),
                        spare.size() + " images have no container, none is old")
                .claim("API /images", Excerpt.list(spare));
    }

    private static Answer containers(Facts facts, EngineFacts engine) {
        List<String> stopped = facts.containers().stream()
                .filter(container -> container.state().equals("exited")
                        || container.state().equals("created")
                        || container.state().equals("dead"))
                .filter(container -> facts.second() - container.created() > STOPPED_DAYS * DAY
                        || container.state().equals("dead"))
                .map(ContainerFacts::name)
                .toList();
        long all = facts.containers().stream()
                .filter(container -> !container.state().equals("running"))
                .count();
        return Answer.failIf(
                        !stopped.isEmpty() || all > SPARE_IMAGES,
                        Answer.ENGINE,
                        all + " containers do not run, made more than " + STOPPED_DAYS + " days ago: "
                                + Excerpt.list(stopped),
                        all + " containers do not run, none is old")
                .claim("API /containers", Excerpt.list(stopped));
    }
}
