package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.TerminalSize;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What is run, with which variables and where: the spec before the image, as `docker run` has it.
class ProgramChoiceTest {
    private static final RootImage.ProgramUser USER = new RootImage.ProgramUser(1, 2, List.of(), "/home/user");

    private static RootImage image(List<String> entrypoint, List<String> command, String... environment) {
        return new RootImage(1, List.of(), entrypoint, command, List.of(environment), "", USER);
    }

    private static ContainerSpec spec(String... command) {
        return ContainerSpec.of(Image.host(), command);
    }

    private static List<String> arguments(ContainerSpec spec, RootImage image) {
        return ProgramChoice.of(spec, image, "box", GuestNetwork.NONE).arguments();
    }

    @Test
    void a_command_replaces_the_image_s_and_an_entrypoint_replaces_both() {
        RootImage both = image(List.of("entry"), List.of("command"));

        assertThat(arguments(spec(), both)).containsExactly("entry", "command");
        assertThat(arguments(spec("own"), both)).containsExactly("entry", "own");
        assertThat(arguments(spec().entrypoint(List.of("other")), both)).containsExactly("other");
        assertThat(arguments(spec("own").entrypoint(List.of("other")), both)).containsExactly("other", "own");
        assertThat(arguments(spec("own").entrypoint(List.of()), both)).containsExactly("own");
    }

    @Test
    void nothing_to_run_is_refused() {
        RootImage both = image(List.of("entry"), List.of("command"));

        for (ContainerSpec spec : List.of(spec().entrypoint(List.of()), spec().entrypoint(List.of("")))) {
            assertThatThrownBy(() -> arguments(spec, both))
                    .isInstanceOfSatisfying(
                            RefusedException.class, e -> assertThat(e.code()).isEqualTo("PROGRAM_MISSING"));
        }
    }

    @Test
    void variables_of_the_spec_come_before_the_image_s_and_those_before_the_standard_ones() {
        RootImage image = image(List.of(), List.of("sh"), "PATH=/bin", "A=image", "B=x=y", "HOME=/srv");
        ProgramChoice choice = ProgramChoice.of(spec().environment("A", "spec"), image, "box", GuestNetwork.NONE);

        assertThat(choice.variables()).containsExactly("PATH=/bin", "HOSTNAME=box", "HOME=/srv", "A=spec", "B=x=y");
        assertThat(choice.path()).isEqualTo("/bin");
        assertThat(ProgramChoice.of(spec().terminal(new TerminalSize(1, 1)), image, "box", GuestNetwork.NONE)
                        .environment())
                .containsEntry("TERM", "xterm");
    }

    @Test
    void lines_of_an_image_that_are_no_variables_are_left_out() {
        RootImage image = image(List.of(), List.of("sh"), "=x", "name", "", "N=a\0b", "\0M=b", "A=1", "E=");

        assertThat(ProgramChoice.of(spec(), image, "box", GuestNetwork.NONE).environment())
                .containsOnlyKeys("PATH", "HOSTNAME", "HOME", "A", "E");
    }

    @Test
    void without_a_directory_a_program_starts_in_the_root() {
        assertThat(ProgramChoice.of(spec(), image(List.of(), List.of("sh")), "box", GuestNetwork.NONE)
                        .workingDirectory())
                .isEmpty();
        assertThat(ProgramChoice.of(
                                spec().workingDirectory("/a"),
                                image(List.of(), List.of("sh")),
                                "box",
                                GuestNetwork.NONE)
                        .workingDirectory())
                .contains(InRootPath.of("a"));
    }
}
