package io.holdfast.tools;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.PrintStream;
import java.util.regex.Pattern;

/** Who may know whom in the tools and the benchmark suite, and what nobody there may do. */
@AnalyzeClasses(
    packages = "io.holdfast.tools",
    importOptions = ToolsLayeringTest.WithoutTests.class)
class ToolsLayeringTest {
  /** The suite stands among the tests and is none. */
  static final class WithoutTests implements ImportOption {
    private static final Pattern TESTS =
        Pattern.compile(
            ".*/(test-classes|test)/io/holdfast/tools/(?!bench/suite/).*|.*Test\\.class");

    @Override
    public boolean includes(Location location) {
      return !location.matches(TESTS);
    }
  }

  /** Main knows all commands, and none of them knows it. */
  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("io.holdfast.tools.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule NOBODY_KNOWS_MAIN =
      noClasses()
          .that()
          .resideInAPackage("io.holdfast.tools.*..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("io.holdfast.tools.Main");

  /** What a command talks to a broker with needs no data directory. */
  @ArchTest
  static final ArchRule THE_CLIENT_KNOWS_NO_STORAGE =
      noClasses()
          .that()
          .resideInAnyPackage("..tools.client..", "..tools.bench..", "..tools.stat..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.holdfast.storage..");

  @ArchTest
  static final ArchRule NOTHING_KNOWS_THE_BROKER =
      noClasses().should().dependOnClassesThat().resideInAPackage("io.holdfast.broker..");

  /** Numbers, ids, JSON: with a default locale's digits none is found again. */
  @ArchTest
  static final ArchRule NOTHING_DEPENDS_ON_THE_LOCALE =
      noClasses()
          .should()
          .callMethod(String.class, "format", String.class, Object[].class)
          .orShould()
          .callMethod(String.class, "formatted", Object[].class)
          .orShould()
          .callMethod(PrintStream.class, "printf", String.class, Object[].class)
          .orShould()
          .callMethod(PrintStream.class, "format", String.class, Object[].class)
          .orShould()
          .callMethod(String.class, "toLowerCase")
          .orShould()
          .callMethod(String.class, "toUpperCase");

  @ArchTest
  static final ArchRule ONLY_MAIN_EXITS =
      noClasses()
          .that()
          .doNotHaveSimpleName("Main")
          .should()
          .callMethod(System.class, "exit", int.class);

  @ArchTest
  static final ArchRule NOBODY_SLEEPS =
      noClasses().should().callMethod(Thread.class, "sleep", long.class);
}
