package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// A profile's JSON as it is written: its lines, what is left out, and what is escaped.
class ProfileWriterTest {
    private static Profile profile(Map<Architecture, Set<Architecture>> abis, Rule... rules) {
        return new Profile(Action.errno(1), abis, Set.of(), "", "", List.of(rules));
    }

    @Test
    void a_profile_is_written_line_by_line() {
        Rule rule = new Rule(
                List.of("read", "write"),
                new Action(Action.Kind.TRACE, 7),
                List.of(Condition.masked(1, -1, 5), Condition.of(0, Condition.Operator.GE, 3)),
                new Selector(
                        Set.of("CAP_BPF"), Set.of("s390x", "amd64"), java.util.Optional.of(new KernelVersion(5, 8))),
                Selector.NONE,
                "a\"b\\c\n\u007f");

        assertThat(profile(Map.of(Architecture.X86_64, Set.of(Architecture.X86, Architecture.X32)), rule)
                        .toJson())
                .isEqualTo("""
                        {
                          "defaultAction": "SCMP_ACT_ERRNO",
                          "defaultErrnoRet": 1,
                          "archMap": [
                            {
                              "architecture": "SCMP_ARCH_X86_64",
                              "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]
                            }
                          ],
                          "syscalls": [
                            {
                              "comment": "a\\"b\\\\c\\u000a\\u007f",
                              "names": ["read", "write"],
                              "action": "SCMP_ACT_TRACE",
                              "errnoRet": 7,
                              "args": [
                                {"index": 1, "value": 18446744073709551615, "valueTwo": 5, "op": "SCMP_CMP_MASKED_EQ"},
                                {"index": 0, "value": 3, "op": "SCMP_CMP_GE"}
                              ],
                              "includes": {
                                "caps": ["CAP_BPF"],
                                "arches": ["amd64", "s390x"],
                                "minKernel": "5.8"
                              }
                            }
                          ]
                        }
                        """);
    }

    @Test
    void what_a_profile_does_not_say_is_not_written() {
        assertThat(profile(Map.of(Architecture.X86_64, Set.of())).toJson()).isEqualTo("""
                {
                  "defaultAction": "SCMP_ACT_ERRNO",
                  "defaultErrnoRet": 1,
                  "syscalls": []
                }
                """);
        assertThat(new Profile(
                                Action.KILL_PROCESS,
                                Map.of(Architecture.AARCH64, Set.of(Architecture.ARM), Architecture.X86_64, Set.of()),
                                Set.of(Profile.Flag.WAIT_KILLABLE_RECV, Profile.Flag.LOG),
                                "/l",
                                "m",
                                List.of())
                        .toJson())
                .isEqualTo("""
                        {
                          "defaultAction": "SCMP_ACT_KILL_PROCESS",
                          "archMap": [
                            {
                              "architecture": "SCMP_ARCH_AARCH64",
                              "subArchitectures": ["SCMP_ARCH_ARM"]
                            }
                          ],
                          "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
                          "listenerPath": "/l",
                          "listenerMetadata": "m",
                          "syscalls": []
                        }
                        """);
    }

    /// Every length of a list and of its last name: no line is wider, none is empty, and no name is lost.
    @Test
    void lists_are_as_wide_as_fits_and_no_wider() {
        for (int count = 1; count < 40; count++) {
            for (int last = 1; last < 12; last++) {
                var names = new ArrayList<String>();
                for (int at = 0; at < count; at++) {
                    names.add("c" + at);
                }
                names.add("x".repeat(last));
                String json = profile(Map.of(), Rule.of(Action.ALLOW, List.of(), names.toArray(String[]::new)))
                        .toJson();

                assertThat(Profile.parse(json).rules().getFirst().names()).isEqualTo(names);
                assertThat(json.lines()).allMatch(line -> !line.isBlank() && line.length() <= 114);
                String whole = "      \"names\": [\"" + String.join("\", \"", names) + "\"],";
                assertThat(json.lines().anyMatch(whole::equals))
                        .as(whole)
                        .isEqualTo(whole.length() - "\"\": ,".length() < 110);
            }
        }
    }
}
