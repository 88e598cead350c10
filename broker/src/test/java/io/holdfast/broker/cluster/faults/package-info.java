/**
 * Three broker processes under load whose network, processes and disks are made to fail, and what
 * they promised checked against all that was sent and received.
 *
 * <p>{@code mvn verify} runs a short form with a fixed seed. The long form:
 *
 * <pre>
 * mvn -q -pl broker -am verify -Dit.test=FaultsSystemTest -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false -Dholdfast.faults.seconds=7200 -Dholdfast.faults.seed=1
 * </pre>
 *
 * <p>Further system properties: {@code holdfast.faults.only} (names of {@link
 * io.holdfast.broker.cluster.faults.Fault}s, separated by commas), {@code
 * holdfast.faults.round.seconds} (60), {@code holdfast.faults.disk} (a directory for the nodes'
 * disks; {@code /dev/shm} where it is large enough).
 *
 * <p>Partitions need root (network namespaces and a bridge; nothing else: packets are lost by way
 * of neighbour entries that lead nowhere), full disks and power cuts the right to mount an ext4 in
 * a file, power cuts {@code python3}, clocks {@code gcc}. What is left out is printed. What is
 * checked: {@link io.holdfast.broker.cluster.faults.Verdict}.
 */
package io.holdfast.broker.cluster.faults;
