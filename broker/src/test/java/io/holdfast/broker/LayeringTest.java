package io.holdfast.broker;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom, and what nobody may do. */
@AnalyzeClasses(
    packages = "io.holdfast",
    importOptions = {
      ImportOption.DoNotIncludeTests.class,
    })
class LayeringTest {
  @ArchTest
  static final ArchRule ONLY_THE_LOG_KNOWS_CHRONICLE =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.holdfast.storage.log..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("net.openhft.chronicle..");

  /** Their library of native calls, which is not Chronicle Queue, is for files, too. */
  @ArchTest
  static final ArchRule ONLY_LOG_AND_FILES_KNOW_ITS_NATIVE_CALLS =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.holdfast.storage.log..", "io.holdfast.storage.files..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("net.openhft..");

  @ArchTest
  static final ArchRule STORAGE_HAS_NO_CYCLES =
      slices().matching("io.holdfast.storage.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule STORAGE_IMPORTS_IN_ONE_DIRECTION =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("inspect")
          .definedBy("io.holdfast.storage.inspect..")
          .layer("topic")
          .definedBy("io.holdfast.storage.topic..")
          .layer("group")
          .definedBy("io.holdfast.storage.group..")
          .layer("journal")
          .definedBy("io.holdfast.storage.journal..")
          .layer("ledger")
          .definedBy("io.holdfast.storage.ledger..")
          .layer("raft")
          .definedBy("io.holdfast.storage.raft..")
          .layer("redo")
          .definedBy("io.holdfast.storage.redo..")
          .layer("log")
          .definedBy("io.holdfast.storage.log..")
          .layer("files")
          .definedBy("io.holdfast.storage.files..")
          .layer("record")
          .definedBy("io.holdfast.storage.record..")
          .layer("values")
          .definedBy("io.holdfast.storage.values..")
          .whereLayer("inspect")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("topic")
          .mayOnlyBeAccessedByLayers("inspect")
          .whereLayer("group")
          .mayOnlyBeAccessedByLayers("inspect")
          .whereLayer("journal")
          .mayOnlyBeAccessedByLayers("topic", "group", "inspect")
          .whereLayer("ledger")
          .mayOnlyBeAccessedByLayers("topic", "group", "inspect")
          .whereLayer("raft")
          .mayOnlyBeAccessedByLayers("group", "inspect")
          .whereLayer("redo")
          .mayOnlyBeAccessedByLayers("journal", "topic", "inspect")
          .whereLayer("log")
          .mayOnlyBeAccessedByLayers("redo", "journal", "ledger", "raft", "topic", "inspect")
          .whereLayer("files")
          .mayOnlyAccessLayers("values")
          .whereLayer("record")
          .mayOnlyAccessLayers("values")
          .whereLayer("values")
          .mayNotAccessAnyLayer();

  @ArchTest
  static final ArchRule STORAGE_HAS_NO_CLASS_BESIDE_ITS_PACKAGES =
      noClasses()
          .that()
          .doNotHaveSimpleName("package-info")
          .should()
          .resideInAPackage("io.holdfast.storage");

  @ArchTest
  static final ArchRule STORAGE_KNOWS_NEITHER_NETWORK_NOR_BROKER =
      noClasses()
          .that()
          .resideInAPackage("io.holdfast.storage..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.netty..", "io.holdfast.broker..", "io.holdfast.tools..");

  @ArchTest
  static final ArchRule BROKER_HAS_NO_CYCLES =
      slices().matching("io.holdfast.broker.(*)..").should().beFreeOfCycles();

  /** Server and Main, above all of these, are in no layer. */
  @ArchTest
  static final ArchRule BROKER_IMPORTS_IN_ONE_DIRECTION =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("http")
          .definedBy("io.holdfast.broker.http..")
          .layer("wire")
          .definedBy("io.holdfast.broker.wire..")
          .layer("lookup")
          .definedBy("io.holdfast.broker.lookup..")
          .layer("figures")
          .definedBy(
              "io.holdfast.broker.stats..",
              "io.holdfast.broker.metrics..",
              "io.holdfast.broker.history..")
          .layer("core")
          .definedBy("io.holdfast.broker.core..")
          .layer("cluster")
          .definedBy("io.holdfast.broker.cluster..")
          .layer("queue")
          .definedBy("io.holdfast.broker.queue..")
          .layer("storage")
          .definedBy("io.holdfast.storage..")
          .whereLayer("http")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("wire")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("lookup")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("figures")
          .mayOnlyBeAccessedByLayers("http", "wire")
          .whereLayer("core")
          .mayOnlyBeAccessedByLayers("http", "wire", "lookup", "figures")
          .whereLayer("cluster")
          .mayOnlyAccessLayers("queue", "storage")
          .whereLayer("queue")
          .mayOnlyAccessLayers("storage");

  @ArchTest
  static final ArchRule ONLY_THE_ENGINE_KNOWS_JRAFT =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.holdfast.broker.cluster.engine..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.alipay..", "com.google.protobuf..");

  /** Topics and channels know whom they deliver to by ports of their own, and no options. */
  @ArchTest
  static final ArchRule QUEUE_KNOWS_NEITHER_NETWORK_NOR_OPTIONS =
      classes()
          .that()
          .resideInAPackage("..broker.queue..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.slf4j..",
              "org.roaringbitmap..",
              "com.google.errorprone.annotations..",
              "io.holdfast.storage..",
              "..broker.queue..",
              "..broker.policy..",
              "..broker.limits..",
              "..broker.meters..");

  @ArchTest
  static final ArchRule POLICIES_KNOW_OPTIONS_ALONE =
      noClasses()
          .that()
          .resideInAPackage("..broker.policy..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.holdfast..")
                  .and(not(resideInAnyPackage("..broker.policy..", "..broker.config.."))));

  @ArchTest
  static final ArchRule LIMITS_AND_METERS_STAND_ALONE =
      noClasses()
          .that()
          .resideInAnyPackage("..broker.limits..", "..broker.meters..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.holdfast..")
                  .and(not(resideInAnyPackage("..broker.limits..", "..broker.meters.."))));

  @ArchTest
  static final ArchRule CONFIG_STANDS_ALONE =
      noClasses()
          .that()
          .resideInAPackage("..broker.config..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.holdfast..").and(not(resideInAPackage("..broker.config.."))));

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

  /** Names on disk, ids, JSON: with a default locale's digits none is found again. */
  @ArchTest
  static final ArchRule NOTHING_DEPENDS_ON_THE_LOCALE =
      noClasses()
          .should()
          .callMethod(String.class, "format", String.class, Object[].class)
          .orShould()
          .callMethod(String.class, "formatted", Object[].class)
          .orShould()
          .callMethod(String.class, "toLowerCase")
          .orShould()
          .callMethod(String.class, "toUpperCase");

  @ArchTest
  static final ArchRule LOGS_GO_THROUGH_SLF4J =
      noClasses().should().dependOnClassesThat().resideInAPackage("java.util.logging..");
}
