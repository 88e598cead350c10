/**
 * Long runs of a broker process that is killed over and over, each by a documented command and
 * outside of {@code mvn verify}:
 *
 * <pre>
 * # real clients, 100,000 messages, 10 kills, with --mem-queue-size 0, 1 and the default
 * mvn -q -pl broker -am verify -Dit.test=RealClientSoak -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false
 * # everything at once, for that many seconds; the build fails on any loss
 * mvn -q -pl broker -am verify -Dit.test=KillSoak -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false -Dholdfast.soak.seconds=600
 * </pre>
 */
package io.holdfast.broker.soak;
