package dev.caisson.cli;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The rules of the house: which room may use which, and what every room looks like.
class HouseTest {
    private static final Pattern EMPTY_NAME = Pattern.compile(".*(Util|Utils|Helper|Helpers|Manager|Impl)");
    /// A file of more than about 400 lines is asked why; one beyond this does too much.
    private static final int LINES_OF_A_FILE = 450;

    private static List<House.Room> rooms = List.of();
    private static JavaClasses classes = new ClassFileImporter().importPaths(List.of());

    @BeforeAll
    static void readTheHouse() throws IOException {
        rooms = House.rooms();
        List<Path> compiled = rooms.stream().map(House.Room::classes).toList();
        assertThat(compiled)
                .as("this test reads all rooms' classes; build them first: mvn test")
                .allMatch(Files::isDirectory);
        classes = new ClassFileImporter().importPaths(compiled);
    }

    @Test
    void everyRoomHasAFloor() {
        assertThat(rooms)
                .as("a new room is given its floor in House.FLOORS and in docs/architecture.md")
                .isNotEmpty()
                .allMatch(room -> room.floor() >= 0);
    }

    @Test
    void modulesRequireLowerFloorsOnly() throws IOException {
        for (House.Room room : rooms) {
            assertThat(room.descriptor().name()).isEqualTo(room.packageName());
            assertThat(room.descriptor().requires().stream()
                            .map(required -> required.name())
                            .filter(name -> name.startsWith("dev.caisson."))
                            .map(name -> new House.Room(name.substring("dev.caisson.".length())))
                            .filter(other -> other.floor() >= room.floor()))
                    .as("rooms beside or above " + room.name() + " that it requires")
                    .isEmpty();
        }
    }

    @Test
    void classesUseLowerFloorsOnly() {
        for (House.Room room : rooms) {
            List<String> forbidden = rooms.stream()
                    .filter(other -> !other.equals(room) && other.floor() >= room.floor())
                    .map(other -> other.packageName() + "..")
                    .toList();
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideInAPackage(room.packageName() + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(forbidden.toArray(String[]::new))
                    .check(classes);
        }
    }

    @Test
    void roomsFormNoCycle() {
        slices().matching("dev.caisson.(*)..").should().beFreeOfCycles().check(classes);
    }

    @Test
    void packagesFormNoCycle() {
        slices().matching("dev.caisson.(**)").should().beFreeOfCycles().check(classes);
    }

    /// Whoever embeds Caisson meets the rooms that are of use to him; the others are for our own modules alone.
    @Test
    void onlyWhatIsOfUseAloneIsExportedToEverybody() throws IOException {
        List<String> toEverybody = new ArrayList<>();
        for (House.Room room : rooms) {
            room.descriptor().exports().stream()
                    .filter(exported -> !exported.isQualified())
                    .forEach(exported -> toEverybody.add(exported.source()));
        }
        assertThat(toEverybody)
                .containsExactlyInAnyOrder(
                        "dev.caisson.error",
                        "dev.caisson.text",
                        "dev.caisson.image",
                        "dev.caisson.seccomp",
                        "dev.caisson.scan",
                        "dev.caisson.secret",
                        "dev.caisson.containerfile",
                        "dev.caisson.spec",
                        "dev.caisson.engine",
                        "dev.caisson.micrometer",
                        "dev.caisson.audit",
                        "dev.caisson.build",
                        "dev.caisson.hostaudit",
                        "dev.caisson.selftest");
    }

    @Test
    void onlyLinuxTouchesForeignMemory() {
        assertThat(classes.that(useForeignMemory()))
                .as("the rule sees the classes that it allows")
                .isNotEmpty();
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.linux..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(classes);
    }

    @Test
    void everyPublicExceptionIsACaissonException() {
        ArchRuleDefinition.classes()
                .that()
                .areAssignableTo(Throwable.class)
                .and()
                .arePublic()
                .should()
                .beAssignableTo(CaissonException.class)
                .check(classes);
    }

    /// avaje-jsonb writes; the adapters that it generates could read and are asked by nobody.
    @Test
    void onlyTextParsesJson() throws IOException {
        var parsing = Pattern.compile("io\\.avaje\\.json\\.JsonReader|\\.fromJson\\w*\\(|JsonStream[^;]*\\.reader\\(");
        for (House.Room room : rooms) {
            for (Path source : room.sources()) {
                assertThat(parsing.matcher(Files.readString(source)).find())
                        .as(source + " parses JSON beside dev.caisson.text.Json")
                        .isFalse();
            }
        }
    }

    @Test
    void nobodyReachesBehindTheJdk() {
        ArchRuleDefinition.noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("sun..", "jdk.internal..", "com.sun..")
                .check(classes);
    }

    @Test
    void onlyTheCommandLineEndsTheProcess() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.caisson.cli..")
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .check(classes);
    }

    /// A resident engine runs the commands of many callers in one process, whose own streams, variables and directory
    /// are none of theirs.
    @Test
    void commandsTakeWhatIsTheCallersFromTheCaller() throws IOException {
        var fromTheProcess = Pattern.compile(
                "System\\.(in|out|err|getenv|exit|console)\\b|FileDescriptor\\.|\\.halt\\(|user\\.dir|Engine\\.open\\("
                        + "|new Fd\\([0-9]|/proc/self/(fd/[0-9]|cwd|environ)");
        var mayDoSo = List.of("Main", "ProcessCaller", "CallerText", "ServeCommand", "WarmUp");
        var found = new ArrayList<String>();
        for (Path source : new House.Room("cli").sources()) {
            if (!mayDoSo.contains(baseName(source))
                    && fromTheProcess.matcher(Files.readString(source)).find()) {
                found.add(baseName(source));
            }
        }
        assertThat(found).as("take it from Caller.current()").isEmpty();
    }

    @Test
    void everyRoomExportsOnePackageAndSaysWhatItIsFor() throws IOException {
        for (House.Room room : rooms) {
            Path home = room.directory()
                    .resolve("src/main/java")
                    .resolve(room.packageName().replace('.', '/'));
            assertThat(room.sources())
                    .as("sources of " + room.name())
                    .allMatch(source -> source.startsWith(home) || source.equals(room.moduleSource()));
            assertThat(room.descriptor().exports().stream().filter(exported -> !exported.isQualified()))
                    .as("packages of " + room.name() + " that everybody may use, beside the room's own")
                    .allMatch(exported -> exported.source().equals(room.packageName()));
            assertThat(Files.readAllLines(room.moduleSource()))
                    .as("module-info.java of " + room.name())
                    .anyMatch(line -> line.startsWith("/// "))
                    .contains("@NullMarked");
        }
    }

    @Test
    void noClassHasAnEmptyName() throws IOException {
        for (House.Room room : rooms) {
            assertThat(room.sources().stream().map(source -> baseName(source)))
                    .noneMatch(name -> EMPTY_NAME.matcher(name).matches());
        }
        assertThat(EMPTY_NAME.matcher("MountHelper").matches()).isTrue();
    }

    @Test
    void noFileIsTooLongToRead() throws IOException {
        var tooLong = new ArrayList<String>();
        for (House.Room room : rooms) {
            for (Path source : room.sources()) {
                try (Stream<String> lines = Files.lines(source)) {
                    long count = lines.count();
                    if (count > LINES_OF_A_FILE) {
                        tooLong.add(source + ": " + count + " lines");
                    }
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    private static DescribedPredicate<JavaClass> useForeignMemory() {
        return DescribedPredicate.describe(
                "use java.lang.foreign",
                type -> type.getDirectDependenciesFromSelf().stream()
                        .anyMatch(dependency ->
                                dependency.getTargetClass().getPackageName().equals("java.lang.foreign")));
    }

    private static String baseName(Path source) {
        String name = source.getFileName().toString();
        return name.substring(0, name.length() - ".java".length());
    }
}
