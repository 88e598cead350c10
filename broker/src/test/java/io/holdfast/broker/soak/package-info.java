/**
 * Long runs of a broker process that is killed over and over, each by a documented command and
 * outside of {@code mvn verify}:
 *
 * <pre>
 * # real clients, 100,000 messages, 10 kills, with --mem-queue-size 0, 1 and the default
 * mvn -q -pl broker -am verify -Dit.test=RealClientSoak -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false
 * # everything at once, for that many seconds or kills; the build fails on any loss
 * mvn -q -pl broker -am verify -Dit.test=KillSoak -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false -Dholdfast.soak.seconds=600
 * mvn -q -pl broker -am verify -Dit.test=KillSoak -Dtest=none \
 *     -Dsurefire.failIfNoSpecifiedTests=false -Dholdfast.soak.kills=200 \
 *     -Dholdfast.soak.durability=synced
 * </pre>
 *
 * <p>What {@code KillSoak} holds against the broker, per channel:
 *
 * <ul>
 *   <li>lost: a message whose very attempt was answered OK and that never came, or came and was
 *       neither finished nor came again;
 *   <li>corrupt: a body that is not, byte for byte, what its key says; two keys under one id;
 *   <li>torn MPUB: some of a batch came, also of one without an OK;
 *   <li>duplicate: one attempt stored twice, or a delivery again without a reason that the test
 *       knows (requeued, timed out, disconnect, kill while in flight or before the FIN was read);
 *   <li>early: a deferred message before its time, also over kills;
 *   <li>finished came back, came back after empty: in spite of an answer that was read;
 *   <li>delivered while paused; ghost: from before the topic or channel was created;
 *   <li>not empty, disk not given back, disk bound: what is left when all is finished, and while
 *       one in five hundred messages is not.
 * </ul>
 *
 * <p>Beside the topics without policies each round has some with, drawn anew, whose policies and
 * dead letters are changed and whose channels are rewound meanwhile. What must come then:
 *
 * <ul>
 *   <li>{@code max_attempts}: nothing comes more often; what is dead was tried so often and never
 *       finished; at the end each message is finished or dead, and after a redrive or discard what
 *       that says; copies in a dead-letter topic come at least once;
 *   <li>{@code message_ttl}: nothing older comes, nothing younger is dead; {@code requeue_backoff}:
 *       not before its time;
 *   <li>{@code ordered}: one at a time, never an older one, but after a rewind;
 *   <li>{@code max_depth}: what was refused never comes; only what so many younger ones pushed out
 *       is missing;
 *   <li>rewind: what is retained from there on comes again, nothing older; while it is not
 *       answered, both may be;
 *   <li>a policy that was answered is shown by every later life.
 * </ul>
 */
package io.holdfast.broker.soak;
