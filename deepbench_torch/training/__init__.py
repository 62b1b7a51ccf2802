"""Training with Lightning: data modules, networks, weights, classifiers and regressors.

::

    data = db.CatalogueDataModule("astro", transform=db.get_weights("small_astro").transforms())
    model = db.Classifier("small", weights="small_astro", classes=data.classes, multilabel=False)
    lightning.Trainer(max_epochs=5).fit(model, data)

Networks are those of torchvision, "small" of this package, or any `torch.nn.Module` whose last
layer is linear. `model.backbone` returns features, `model.head` is the last layer.
`freeze="backbone"` trains the head alone, Lightning's `BackboneFinetuning` thaws the rest later.

`db.Regressor("small", recipe="galaxy", parameters=["galaxy/radius"])` learns parameters, in units
of their priors, from data with `target="vector"` or a list of parameters. `model.measure(image)`
returns them in pixels; `deviation=True` estimates an error of each.

Weights: `db.list_weights()` names those of the package, `db.get_weights(name)` has their metadata,
the preparation of images and the state dict. `db.get_model(architecture, weights=...)` takes a
name, True for the default, or a path: a folder with `config.json` and `model.safetensors`, which
timm reads too, a safetensors file, a checkpoint of Lightning or a state dict. A network for grey
images reads weights for colour images and the other way round. Nothing is downloaded or unpickled.
`weights verify NAME` of the command line generates the test images of packaged weights again and
compares the scores; `python -m baselines.pretrain NAME` made them.

Example:
    >>> import deepbench_torch as db, torch
    >>> features = db.get_model("small", weights="small_astro").eval()
    >>> prepare = db.get_weights("small_astro").transforms()
    >>> features(prepare(torch.rand(4, 1, 40, 30))).shape
    torch.Size([4, 480])
"""
