"""What delivery.json could say although the proofs in its bag contradict it: no verifier may accept it."""

from collections.abc import Callable

from tests.evidence.spoiled_bags import Said


def state_hides_damage(said: Said) -> None:
    said["cameras"][0]["segments"][0]["state"] = "missing"


def another_camera(said: Said) -> None:
    said["cameras"][0]["uuid"] = said["cameras"][1]["uuid"]


def forgotten_segment(said: Said) -> None:
    del said["cameras"][0]["segments"][3]


def forgotten_gap(said: Said) -> None:
    del said["cameras"][0]["gaps"][0]


def shorter_gap(said: Said) -> None:
    said["cameras"][0]["gaps"][0]["until_us"] -= 1


def invented_hole(said: Said) -> None:
    hole = {"from_us": said["from_us"], "until_us": said["until_us"], "words": "", "kinds": []}
    said["cameras"][0]["unaccounted"].append(hole)


def longer_request(said: Said) -> None:
    said["until_us"] += 60_000_000


def empty_request(said: Said) -> None:
    said["until_us"] = said["from_us"]


def no_cameras(said: Said) -> None:
    said["cameras"] = []


def other_format(said: Said) -> None:
    said["format"] = "kaochang-delivery/2"


def path_out_of_the_bag(said: Said) -> None:
    said["cameras"][0]["folder"] = "../camera-1"


def segment_as_gap(said: Said) -> None:
    said["cameras"][0]["gaps"][0]["proof"] = said["cameras"][0]["segments"][0]["file"]


def gap_as_segment(said: Said) -> None:
    said["cameras"][0]["segments"][0]["file"] = said["cameras"][0]["gaps"][0]["proof"]


def file_named_twice(said: Said) -> None:
    said["cameras"][0]["segments"].append(said["cameras"][0]["segments"][0])


def copy_that_is_not_there(said: Said) -> None:
    said["derived"].append({"file": "data/derived/camera-1/play.mp4", "how": ""})


def original_called_a_copy(said: Said) -> None:
    segment = said["cameras"][0]["segments"][0]["file"]
    said["derived"].append({"file": f"data/camera-1/{segment}", "how": ""})


def nonsense(said: Said) -> None:
    said["cameras"] = "none"


def moment_with_a_fraction(said: Said) -> None:
    said["from_us"] = float(said["from_us"])


def moment_that_is_true(said: Said) -> None:
    said["from_us"] = True


def moment_before_time(said: Said) -> None:
    said["from_us"] = -said["from_us"]


def hole_with_a_fraction(said: Said) -> None:
    hole = {"from_us": 0.0, "until_us": 0.0, "words": "", "kinds": []}
    said["cameras"][0]["unaccounted"].append(hole)


def one_folder_for_two(said: Said) -> None:
    said["cameras"][1]["folder"] = said["cameras"][0]["folder"]


def camera_named_twice(said: Said) -> None:
    said["cameras"].append(said["cameras"][0])


def folder_of_copies(said: Said) -> None:
    said["cameras"][0]["folder"] = "derived/camera-1"


def gap_out_of_its_folder(said: Said) -> None:
    gap = said["cameras"][0]["gaps"][0]
    gap["proof"] = f"../camera-1/{gap['proof']}"


def proof_called_a_copy(said: Said) -> None:
    said["derived"].append({"file": "proof/key.pem", "how": ""})


def gap_without_end(said: Said) -> None:
    said["cameras"][0]["gaps"][0]["until_us"] = None


def other_cause(said: Said) -> None:
    said["cameras"][0]["gaps"][0]["cause"] = "power_loss"


def delivered_called_damaged(said: Said) -> None:
    said["cameras"][0]["segments"][0]["state"] = "damaged"


def delivered_called_disposed(said: Said) -> None:
    said["cameras"][0]["segments"][0]["state"] = "disposed"


def unknown_state(said: Said) -> None:
    said["cameras"][0]["segments"][0]["state"] = "lost"


LIES: list[Callable[[Said], None]] = [
    state_hides_damage,
    another_camera,
    forgotten_segment,
    forgotten_gap,
    shorter_gap,
    invented_hole,
    longer_request,
    empty_request,
    no_cameras,
    other_format,
    path_out_of_the_bag,
    segment_as_gap,
    gap_as_segment,
    file_named_twice,
    copy_that_is_not_there,
    original_called_a_copy,
    nonsense,
    moment_with_a_fraction,
    moment_that_is_true,
    moment_before_time,
    hole_with_a_fraction,
    one_folder_for_two,
    camera_named_twice,
    folder_of_copies,
    gap_out_of_its_folder,
    proof_called_a_copy,
    gap_without_end,
    other_cause,
    delivered_called_damaged,
    delivered_called_disposed,
    unknown_state,
]
