// Enclosure of a Kaiwa robot: loudspeaker below in a chamber of its own, microphone on top and as far away as it goes.
// Print body and back separately, PETG or PLA, 0.2 mm, three walls:
//   openscad -D part='"body"' -o body.stl kaiwa.scad     openscad -D part='"back"' -o back.stl kaiwa.scad
// All lengths in millimetres. The picture is drawn by `make hardware`.

part = "show"; // body, back, show

/* [Case] */
width = 110;           // outside, left to right
height = 195;          // outside, from the table up
depth = 95;            // outside, front to back
wall = 2.8;            // of body and back: seven lines of a 0.4 mm nozzle
corner = 14;           // radius of the four long edges
fit = 0.3;             // between what slides into one another

/* [Loudspeaker] */
speaker_cut = 50;      // opening behind the grille
speaker_frame = 57;    // outer diameter of a 2.25 inch driver
speaker_screws = 62;   // diameter of the circle of its four screws
speaker_height = 45;   // centre above the floor
chamber_height = 84;   // air-tight, about 0.7 litres

/* [Microphone] */
mic_port = 2;          // acoustic hole; the module is glued behind it with a foam gasket
mic_recess = 14;       // diameter of the round INMP441 module
mic_from_front = 16;   // on the top face, behind the front edge

/* [Button and lights] */
button_hole = 30;      // arcade button, 30 mm
button_behind_mic = 32; // middle to middle
button_body = 40;      // how far it reaches down
led_hole = 5.2;        // 5 mm LEDs, held by hot glue
led_height = 140;      // above the floor
led_apart = 36;        // talk light left, on air right

/* [Raspberry Pi] */
pi_board = [85, 56];   // on its long edge, power socket down; Pi 3 to 5, from the mechanical drawing
pi_holes = [58, 49];   // between the screws, along and across
pi_hole_edge = 3.5;    // from the left and the lower edge
pi_standoff = 5;       // what is soldered below needs 3
pi_tall = 17;          // highest part above the board: the USB sockets
pi_screw = 2.3;        // M2.5 cuts its own thread
pi_bottom = 116;       // lower edge above the floor: a plug must fit below it
power_plug = 26;       // length of an angled USB-C plug with its bend
power_cut = [15, 10];  // hole in the back for the lead

$fn = $preview ? 120 : 48;

mic_to_speaker = sqrt(pow(height - speaker_height, 2) + pow(mic_from_front, 2));
echo(str("microphone to loudspeaker: ", round(mic_to_speaker), " mm"));
assert(mic_to_speaker >= 100, "the microphone is nearer than 100 mm to the loudspeaker: see README.md");
assert(chamber_height - speaker_height > speaker_screws / 2 + 3, "the loudspeaker does not fit into its chamber");
assert(pi_bottom - power_plug > chamber_height + wall, "the plug of the power supply does not fit under the board");
assert(pi_bottom + pi_board.y < height - 2 * wall, "the Raspberry Pi is too high");
assert(pi_board.x + 4 < width - 2 * wall, "the Raspberry Pi is too wide");
pi_front = depth - wall - pi_standoff - 1.6 - pi_tall;
assert(mic_from_front + button_behind_mic + button_hole / 2 + 2 < pi_front || height - button_body > pi_bottom + pi_board.y,
       "the button would touch the Raspberry Pi");

// x to the right, y to the back, z up; the front is at y = 0
module rounded(w, d, h, r) {
  translate([r, 0, r]) rotate([-90, 0, 0]) mirror([0, 1, 0])
    linear_extrude(d) offset(r) square([w - 2 * r, h - 2 * r]);
}

module speaker_grille() {
  // rings of holes: 40 per cent open, no hole wide enough for a finger
  translate([width / 2, -1, speaker_height]) rotate([-90, 0, 0]) {
    cylinder(d = 4, h = wall + 2);
    for (ring = [1 : 3]) for (hole = [0 : 6 * ring - 1])
      rotate(hole * 60 / ring) translate([ring * speaker_cut / 7, 0, 0]) cylinder(d = 4, h = wall + 2);
  }
}

module speaker_seat() {
  translate([width / 2, wall, speaker_height]) rotate([-90, 0, 0]) {
    difference() {
      cylinder(d = speaker_frame + 5, h = 2.5);
      translate([0, 0, -1]) cylinder(d = speaker_frame + fit, h = 5);
    }
    for (corner = [45 : 90 : 315]) rotate(corner) translate([speaker_screws / 2 + 3, 0, 0]) difference() {
      cylinder(d = 7, h = 7);
      translate([0, 0, 1]) cylinder(d = 2.5, h = 7);
    }
  }
}

module back_posts() {
  for (x = [9, width - 9]) for (z = [9, height - 9])
    translate([x, wall, z]) rotate([-90, 0, 0]) difference() {
      cylinder(d = 8, h = depth - 2 * wall - fit);
      translate([0, 0, depth - 2 * wall - 14]) cylinder(d = 2.5, h = 15);
    }
}

module body() {
  difference() {
    union() {
      difference() {
        rounded(width, depth, height, corner);
        translate([wall, wall, wall]) rounded(width - 2 * wall, depth, height - 2 * wall, corner - wall);
      }
      // the ceiling of the loudspeaker's chamber keeps its sound out of the microphone's half
      translate([wall / 2, wall / 2, chamber_height]) cube([width - wall, depth - 2 * wall - fit, wall]);
      speaker_seat();
      back_posts();
      // ring that holds the microphone module
      translate([width / 2, mic_from_front, height - wall - 3]) difference() {
        cylinder(d = mic_recess + 4, h = 3.5);
        translate([0, 0, -1]) cylinder(d = mic_recess + fit, h = 4);
      }
    }
    speaker_grille();
    translate([width / 2, mic_from_front, height - wall - 1]) cylinder(d = mic_port, h = wall + 2);
    translate([width / 2, mic_from_front, height - 0.8]) cylinder(d1 = mic_port, d2 = mic_port + 3, h = 1);
    translate([width / 2, mic_from_front + button_behind_mic, height - wall - 1]) cylinder(d = button_hole, h = wall + 2);
    for (side = [-0.5, 0.5])
      translate([width / 2 + side * led_apart, -1, led_height]) rotate([-90, 0, 0]) cylinder(d = led_hole, h = wall + 2);
    // the loudspeaker's lead; close it with hot glue
    translate([width - 20, depth - 20, chamber_height - 1]) cylinder(d = 5, h = wall + 2);
  }
}

pi_left = (width - pi_board.x) / 2;
module pi_places() {
  for (x = [0, 1]) for (z = [0, 1])
    translate([pi_left + pi_hole_edge + x * pi_holes.x, 0, pi_bottom + pi_hole_edge + z * pi_holes.y]) children();
}

module back() {
  inner = [width - 2 * wall - 2 * fit, height - 2 * wall - 2 * fit];
  difference() {
    union() {
      translate([wall + fit, 0, wall + fit]) rounded(inner.x, wall, inner.y, corner - wall - fit);
      pi_places() rotate([90, 0, 0]) cylinder(d = 6, h = pi_standoff);
    }
    for (x = [9, width - 9]) for (z = [9, height - 9])
      translate([x, -1, z]) rotate([-90, 0, 0]) cylinder(d = 3.2, h = wall + 2);
    pi_places() translate([0, -pi_standoff - 1, 0]) rotate([-90, 0, 0]) cylinder(d = pi_screw, h = pi_standoff + wall);
    translate([pi_left + 11.2 - power_cut.x / 2, -1, pi_bottom - power_plug + 2]) cube([power_cut.x, wall + 2, power_cut.y]);
    // slots that let the warm air out, above the Raspberry Pi
    for (slot = [-4 : 4])
      translate([width / 2 + slot * 8 - 1.5, -1, pi_bottom + pi_board.y - 8]) cube([3, wall + 2, 14]);
  }
}

// From here on: the picture.
shell = "#fdf8ee";
view = [68, 0, 35];    // rotation of the camera in ../draw: what is written faces it
letters = "DejaVu Sans:style=Bold";

module arcade_button() {
  translate([width / 2, mic_from_front + button_behind_mic, height]) {
    color("#ffffff") cylinder(d1 = button_hole + 6, d2 = button_hole + 3, h = 3);
    color("#2f6fed") cylinder(d = button_hole - 6, h = 7);
    color("#4d86ff") translate([0, 0, 7]) cylinder(d1 = button_hole - 6, d2 = button_hole - 10, h = 1.5);
  }
}

module lamp(side, paint, words) {
  translate([width / 2 + side * led_apart, 0, led_height]) rotate([90, 0, 0]) {
    color("#3a3f48") cylinder(d = 8, h = 0.8);
    color(paint) translate([0, 0, 0.8]) scale([1, 1, 0.7]) sphere(d = 6);
    color("#3a3f48") translate([0, 9, 0]) linear_extrude(0.3) text(words, size = 4.5, halign = "center", font = letters);
  }
}

module furnished() {
  color(shell) body();
  color("#20242b") translate([width / 2, wall + 0.3, speaker_height]) rotate([-90, 0, 0]) cylinder(d = speaker_cut, h = 1);
  arcade_button();
  lamp(-0.5, "#00e05a", "talk");
  lamp(0.5, "#ff2d2d", "on air");
}

// what goes in, whole, so that the cut shows where it sits
module parts() {
  color("#30353d") translate([width / 2, wall + 0.5, speaker_height]) rotate([-90, 0, 0]) {
    cylinder(d = speaker_frame, h = 3);
    cylinder(d1 = speaker_frame - 4, d2 = 28, h = 20);
  }
  color("#9aa3b0") translate([width / 2, wall + 20.5, speaker_height]) rotate([-90, 0, 0]) cylinder(d = 32, h = 10);
  color("#ff9d00") translate([width / 2, mic_from_front, height - wall - 3.2]) cylinder(d = mic_recess, h = 1.6);
  arcade_button();
  color("#4a505b") translate([width / 2, mic_from_front + button_behind_mic, height - button_body])
    cylinder(d = button_hole - 1, h = button_body);
}

// board, header, and the sockets of a Pi 4
module raspberry_pi() {
  color("#2d7a46") cube([pi_board.x, 1.6, pi_board.y]);
  translate([0, -1, 0]) {
    color("#20242b") translate([7, -8, pi_board.y - 6]) cube([51, 9, 5]);
    color("#20242b") translate([22, -1.5, 20]) cube([15, 3, 15]);
    for (socket = [2, 20]) color("#c8ccd4") translate([pi_board.x - 15, -15, socket]) cube([17, 16, 13.5]);
    color("#c8ccd4") translate([pi_board.x - 19, -13, 38.5]) cube([21, 14, 16]);
    color("#c8ccd4") translate([6.7, -3, -1]) cube([9, 4, 7]);
  }
}

module label(part, place, words, align = "left") {
  color("#5b6370") hull() {
    translate(part) sphere(d = 1.6);
    translate(place) sphere(d = 1.2);
  }
  color("#20242b") translate(place) rotate(view) translate([align == "left" ? 3 : -3, 0, 0])
    linear_extrude(0.4) text(words, size = 8.5, halign = align, valign = "center", font = letters);
}

module opened() {
  color(shell) difference() {
    body();
    translate([width / 2, -5, -5]) cube([width, depth + 10, height + 10]);
  }
  parts();
  translate([0, depth + 55, 0]) {
    color("#c9d3e3") back();
    translate([pi_left, -pi_standoff - 1.6, pi_bottom]) raspberry_pi();
  }
  label([width / 2 + 2, mic_from_front - 4, height - wall - 2.4], [30, -20, height + 56], "microphone", "right");
  label([width / 2, mic_from_front + button_behind_mic, height + 8], [52, 44, height + 40], "button");
  label([width / 2 + 26, wall + 8, speaker_height - 12], [118, 46, 4], "loudspeaker");
  label([width / 2, depth - 38, chamber_height - 16], [110, 88, 32], "closed chamber");
  label([width - 30, depth + 45, pi_bottom + pi_board.y - 4], [84, depth + 55, height + 28], "Raspberry Pi");
}

if (part == "body") body();
else if (part == "back") back();
else {
  rotate(12) furnished();
  translate([width + 120, 40, 0]) opened();
}
