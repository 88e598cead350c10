/** What the fuzz tests of the front ends share. */
package io.holdfast.broker.fuzz;
