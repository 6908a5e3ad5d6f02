package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.image.RegistryLogins;
import dev.caisson.spec.Network;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A build that was asked for.
///
/// @param dockerfile its text
/// @param context directory of the files that can be copied; empty for none
/// @param ignore the patterns of what the build does not see of it
/// @param names that the image gets; none for one of its own
/// @param arguments for `ARG`
/// @param target stage that is built; empty for the last
/// @param labels that the image gets
/// @param secrets by the id under which a `RUN` asks for them
/// @param network of each `RUN` that does not say otherwise
/// @param cached whether results of earlier builds are taken
/// @param pulled whether base images are fetched again
/// @param latest time that nothing of the image is younger than, as SOURCE_DATE_EPOCH
/// @param again stages, by name or number, whose results of earlier builds are not taken
/// @param listed whether an image without a name gets one of its own; if not, it is kept as the result of a step is
/// @param caches places outside the store that results of steps come from and go to
/// @param notes what is said about the image beside it
/// @param platform that the image is for
/// @param agents sockets of SSH agents, by the id under which a `RUN` asks for them
public record BuildRequest(
        @SuppressWarnings("exports") Source dockerfile,
        Optional<Path> context,
        @SuppressWarnings("exports") Optional<Source> ignore,
        List<ImageReference> names,
        Map<String, String> arguments,
        Optional<String> target,
        Map<String, String> labels,
        Map<String, SecretSource> secrets,
        Network network,
        boolean cached,
        boolean pulled,
        Optional<Instant> latest,
        RegistryLogins logins,
        Set<String> again,
        boolean listed,
        BuildCaches caches,
        BuildNotes notes,
        Map<String, Path> agents,
        Platform platform) {
    public BuildRequest {
        agents = Map.copyOf(agents);
        names = List.copyOf(names);
        arguments = Map.copyOf(arguments);
        secrets = Map.copyOf(secrets);
        again = Set.copyOf(again);
    }

    @SuppressWarnings("exports")
    public BuildRequest(
            Source dockerfile,
            Optional<Path> context,
            Optional<Source> ignore,
            List<ImageReference> names,
            Map<String, String> arguments,
            Optional<String> target,
            Map<String, String> labels,
            Map<String, SecretSource> secrets,
            Network network,
            boolean cached,
            boolean pulled,
            Optional<Instant> latest,
            RegistryLogins logins) {
        this(
                dockerfile,
                context,
                ignore,
                names,
                arguments,
                target,
                labels,
                secrets,
                network,
                cached,
                pulled,
                latest,
                logins,
                Set.of(),
                true,
                BuildCaches.none(),
                BuildNotes.none(),
                Map.of(),
                Platform.running());
    }

    public BuildRequest again(Set<String> stages) {
        return with(stages, listed, caches, notes, agents, platform);
    }

    public BuildRequest listed(boolean value) {
        return with(again, value, caches, notes, agents, platform);
    }

    public BuildRequest caches(BuildCaches value) {
        return with(again, listed, value, notes, agents, platform);
    }

    public BuildRequest notes(BuildNotes value) {
        return with(again, listed, caches, value, agents, platform);
    }

    public BuildRequest agents(Map<String, Path> value) {
        return with(again, listed, caches, notes, value, platform);
    }

    public BuildRequest platform(Platform value) {
        return with(again, listed, caches, notes, agents, value);
    }

    private BuildRequest with(
            Set<String> stages,
            boolean onLists,
            BuildCaches shared,
            BuildNotes said,
            Map<String, Path> lent,
            Platform wanted) {
        return new BuildRequest(
                dockerfile,
                context,
                ignore,
                names,
                arguments,
                target,
                labels,
                secrets,
                network,
                cached,
                pulled,
                latest,
                logins,
                stages,
                onLists,
                shared,
                said,
                lent,
                wanted);
    }
}
