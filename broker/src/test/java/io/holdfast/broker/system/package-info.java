/**
 * Black-box tests of a broker in its own process, written from the contract of nsqd's behaviour
 * (cited as "contract §n"), and validated against the real nsqd where Holdfast does not differ on
 * purpose.
 */
package io.holdfast.broker.system;
